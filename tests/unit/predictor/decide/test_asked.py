"""A policy that is paused, pinned, or forbidden to forecast."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.annotations import Annotations
from cme.core.reasons import FIXED, Reason
from tests.unit.predictor.decide.story import MINUTE, NAN, NOW, Story

AT_ONCE = {"window": "0s", "maxDecrease": "100%/1m"}
ALWAYS = {"name": "always", "start": "* * * * *", "duration": "1h", "minReplicas": 20, "maxReplicas": 90}
UNTIL = "2027-01-15T08:30:00Z"  # half an hour after NOW
LOADS = st.floats(0, 1e6) | st.just(NAN)


def story(asked: dict[str, str], **spec: Any) -> Story:
    named = {f"tidecast.dev/{name}": value for name, value in asked.items()}
    return Story(Annotations.model_validate(named), **{"scaleDown": AT_ONCE} | spec)


PAUSED, RAW = {"pause": "true"}, {"force-raw": "true"}


def pinned(replicas: int) -> dict[str, str]:
    return {"pin": f"{replicas} until {UNTIL}"}


@given(raw=LOADS, running=st.integers(0, 1_000))
def test_what_is_paused_serves_what_runs_whatever_is_measured(raw: float, running: int) -> None:
    one = story(PAUSED, schedules=[ALWAYS], limits={"minReplicas": 2, "maxReplicas": 90})
    one.running = running
    result = one.tick(NOW, [raw, raw])
    assert (result.replicas[0], result.floor[0]) == (running, running)
    assert result.value.tolist() == [running * 40, running * 100]
    assert ((np.append(result.reasons, result.replica_reasons) & FIXED) == Reason.PAUSED).all()


def test_what_is_paused_is_an_error_while_it_is_not_known_what_runs() -> None:
    result = story(PAUSED).tick(NOW, [400.0, 400.0])
    assert np.isnan([*result.value, *result.replicas, *result.floor]).all()
    assert result.replica_reasons[0] == Reason.PAUSED


@given(raw=LOADS, running=st.integers(0, 1_000) | st.just(NAN), number=st.integers(0, 1_000))
def test_a_pin_is_served_whatever_is_measured_and_runs(raw: float, running: float, number: int) -> None:
    one = story(pinned(number), schedules=[ALWAYS])
    one.running = running
    result = one.tick(NOW, [raw, raw])
    assert (result.replicas[0], result.floor[0]) == (number, number)
    assert result.value.tolist() == [number * 40, number * 100]
    assert (result.reasons & FIXED == Reason.PINNED).all()


@pytest.mark.parametrize(
    ("number", "served", "by"),
    [(1, 4, Reason.LIMIT_FLOOR), (40, 40, Reason.NONE), (700, 500, Reason.LIMIT_CEILING)],
)
def test_limits_bind_a_pin(number: int, served: int, by: Reason) -> None:
    result = story(pinned(number), limits={"minReplicas": 4, "maxReplicas": 500}).tick(NOW, [40.0, 0.0])
    assert result.replicas[0] == served
    assert result.replica_reasons[0] == Reason.PINNED | by


def test_a_pin_ends_at_its_time() -> None:
    one = story(pinned(40))
    last, first = NOW + 30 * MINUTE - 1, NOW + 30 * MINUTE
    assert [one.tick(now, [400.0, 0.0]).replicas[0] for now in (NOW, last, first)] == [40, 40, 10]


def test_a_pause_outweighs_a_pin() -> None:
    one = story(PAUSED | pinned(40))
    one.running = 7.0
    assert one.tick(NOW, [400.0, 0.0]).replicas[0] == 7


def test_where_forecasts_are_forbidden_they_neither_raise_nor_hold() -> None:
    one = story(RAW, scaleDown=AT_ONCE | {"hold": "30m"})
    one.tick(NOW, [1000.0, 100.0], [9e9, 9e9], again=[9e9, 9e9])
    result = one.tick(NOW + 5 * MINUTE, [80.0, 100.0], [9e9, 9e9], again=[9e9, 9e9])
    assert result.value.tolist() == [80.0, 100.0]
    assert result.reasons.tolist() == [Reason.FORCED_RAW | Reason.RAW] * 2


def test_what_is_measured_goes_on_in_memory_while_a_pin_holds() -> None:
    one = story(pinned(1), scaleDown={"window": "10m"})
    one.tick(NOW + 25 * MINUTE, [4000.0, 0.0])
    assert one.tick(NOW + 30 * MINUTE, [400.0, 0.0]).replicas[0] == 100
