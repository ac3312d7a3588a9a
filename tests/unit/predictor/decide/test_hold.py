"""What is forecast to be needed again within the hold time is not let go."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.reasons import Reason
from tests.unit.predictor.decide.story import MINUTE, NAN, NOW, Story

AT_ONCE = {"window": "0s", "maxDecrease": "100%/1m", "hold": "30m"}
LOAD = st.just(0.0) | st.floats(1e-9, 1e6)
LOADS = st.lists(st.tuples(LOAD, LOAD | st.just(NAN)), min_size=1, max_size=40)
SCALE_DOWNS = st.fixed_dictionaries(
    {
        "window": st.sampled_from(["0s", "2m", "10m"]),
        "maxDecrease": st.sampled_from(["100%/1m", "10%/1m", "50%/5m"]),
        "hold": st.just("30m"),
    }
)


def served(story: Story, loads: list[tuple[float, float]]) -> list[float]:
    """The values for (raw, needed again) of one minute after the other."""
    return [
        float(story.tick(NOW + n * MINUTE, [raw, 0.0], again=[again, NAN]).value[0])
        for n, (raw, again) in enumerate(loads)
    ]


def test_what_is_needed_again_is_kept_and_no_more_than_that() -> None:
    story = Story(scaleDown=AT_ONCE)
    assert served(story, [(1000, NAN), (10, 700), (10, 5000), (10, 300), (10, 700), (10, 5)]) == [
        *(1000, 700, 700, 300, 300, 10),
    ]


def test_it_is_named_where_it_alone_holds() -> None:
    story = Story(scaleDown=AT_ONCE)
    story.tick(NOW, [1000.0, 0.0])
    kept = story.tick(NOW + 5 * MINUTE, [10.0, 0.0], again=[700.0, NAN])
    alone = Reason.FORECAST_MISSING | Reason.RAW
    assert kept.reasons.tolist() == [alone | Reason.KEPT, alone]
    held = Story(scaleDown=AT_ONCE | {"window": "10m"})
    held.tick(NOW, [1000.0, 0.0])
    assert not held.tick(NOW + 5 * MINUTE, [10.0, 0.0], again=[700.0, NAN]).reasons[0] & Reason.KEPT


def test_a_forecast_that_is_too_old_holds_nothing() -> None:
    story = Story(scaleDown=AT_ONCE)
    story.tick(NOW, [1000.0, 0.0])
    now = NOW + 5 * MINUTE
    old = story.tick(now, [10.0, 0.0], again=[700.0, NAN], predicted_ms=now - 180_001)
    assert old.value[0] == 10.0


@pytest.mark.parametrize("again", [NAN, 700.0])
def test_what_is_missing_stays_missing_and_is_kept_meanwhile(again: float) -> None:
    story = Story(scaleDown=AT_ONCE)
    story.tick(NOW, [1000.0, 0.0])
    assert np.isnan(story.tick(NOW + 5 * MINUTE, [NAN, 0.0], again=[again, NAN]).value[0])
    assert story.tick(NOW + 6 * MINUTE, [10.0, 0.0], again=[700.0, NAN]).value[0] == 700.0


def test_a_restart_keeps_what_was_kept() -> None:
    story, restarted = Story(scaleDown=AT_ONCE), Story(scaleDown=AT_ONCE)
    for n, raw in enumerate([1000.0, 10.0, 10.0]):
        now = NOW + n * MINUTE
        result = story.tick(now, [raw, 0.0], again=[700.0, NAN])
        restarted.slow.recall(now, story.rules.signal_ids, result.need, result.slowed)
    assert restarted.tick(now + MINUTE, [10.0, 0.0], again=[900.0, NAN]).value[0] == 700.0


@given(loads=LOADS, scale_down=SCALE_DOWNS)
def test_it_is_never_below_the_chain_without_it(
    loads: list[tuple[float, float]], scale_down: dict[str, Any]
) -> None:
    kept = served(Story(scaleDown=scale_down), loads)
    without = served(Story(scaleDown=scale_down), [(raw, NAN) for raw, _ in loads])
    assert (np.array(kept) >= np.array(without)).all()


@given(loads=LOADS, scale_down=SCALE_DOWNS)
def test_it_never_raises_above_what_was_served_last(
    loads: list[tuple[float, float]], scale_down: dict[str, Any]
) -> None:
    """By itself: each decision is made a second time from the same memory, without hold."""
    story, last = Story(scaleDown=scale_down), 0.0
    for n, (raw, again) in enumerate(loads):
        now, other = NOW + n * MINUTE, copy.deepcopy(story)
        value = story.tick(now, [raw, 0.0], again=[again, NAN]).value[0]
        assert value <= max(last, other.tick(now, [raw, 0.0]).value[0])
        last = value


@given(loads=LOADS, scale_down=SCALE_DOWNS, exponent=st.integers(-10, 10))
def test_it_knows_no_unit(
    loads: list[tuple[float, float]], scale_down: dict[str, Any], exponent: int
) -> None:
    """By powers of two, which floats multiply by exactly."""
    by = 2.0**exponent
    scaled = served(Story(scaleDown=scale_down), [(raw * by, again * by) for raw, again in loads])
    assert np.array_equal(scaled, np.array(served(Story(scaleDown=scale_down), loads)) * by)
