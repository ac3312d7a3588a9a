"""What the chain looks at, from the records of the log."""

import json
import logging
import math
from typing import Any

import numpy as np
import pytest

from cme.collector.records import describe, samples_batch, withdrawal
from cme.collector.sampling import Sampled
from cme.core.batch import Batch, Column, series_ids
from cme.core.distrust import Cause
from cme.core.durations import HOUR_MS, MINUTE_MS
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.core.readings import REPLICAS_STALE_MS, Flag, Total
from cme.policies.standing import Standing
from predictor.decide.measured import Measured
from predictor.decide.rules import Rules, compile_rules
from predictor.engine import Forecast
from predictor.grid import MAX, L, Q, T
from predictor.picture import Picture
from tests.unit.predictor.stage import NAN, START, policy

WEB, API = policy("web"), policy("api")
RULES = compile_rules([WEB])


def measured_by(picture: Picture, rules: Rules) -> Measured:
    count = len(rules.signal_ids)
    return picture.measured(rules, picture.samples(rules), np.full((Q, count), NAN), np.full(count, NAN))


def key(of: ScalingPolicy = WEB) -> SeriesKey:
    return of.series(of.spec.signals[0])


def sample(value: float, now: int = START, age: int = 0, epoch: int = 1, flags: Flag = Flag.NONE) -> Batch:
    total = None if math.isnan(value) else Total(value, now - age, 1.0, flags)
    return samples_batch(now, epoch, [(key(), Sampled(total, "" if total else "down", ()))])


def raw(*batches: Batch) -> tuple[float, int]:
    """Value and time that stand after some samples."""
    picture = Picture()
    for batch in batches:
        picture.take_samples(batch)
    measured = measured_by(picture, RULES)
    return float(measured.raw[0]), int(measured.raw_ms[0])


def test_the_newest_measurement_stands() -> None:
    assert raw(sample(5.0), sample(6.0, START + 5_000)) == (6.0, START + 5_000)
    assert raw(sample(6.0, START + 5_000), sample(5.0, START + 5_000, age=1)) == (6.0, START + 5_000)


@pytest.mark.parametrize(("first", "second", "stands"), [(1, 2, 6.0), (2, 1, 5.0), (1, 1, 6.0)])
def test_of_two_samples_of_one_time_the_higher_epoch_stands(first: int, second: int, stands: float) -> None:
    assert raw(sample(5.0, epoch=first), sample(6.0, epoch=second)) == (stands, START)


def test_a_duplicate_changes_nothing() -> None:
    first, second = sample(5.0), sample(6.0, START + 5_000)
    assert raw(first, second, first, second, first) == (6.0, START + 5_000)


def test_a_failing_source_leaves_the_last_value_with_its_time() -> None:
    assert raw(sample(5.0), sample(NAN, START + 5_000)) == (5.0, START)


def test_a_value_after_the_clock_was_set_back_stands() -> None:
    assert raw(sample(5.0), sample(6.0, START - HOUR_MS)) == (6.0, START - HOUR_MS)


def test_what_was_never_measured_is_nothing() -> None:
    value, time_ms = raw()
    assert math.isnan(value)
    assert time_ms == 0


def test_flags_come_along() -> None:
    picture = Picture()
    picture.take_samples(sample(5.0, flags=Flag.ESTIMATED))
    assert measured_by(picture, RULES).flags.tolist() == [int(Flag.ESTIMATED)]


def replicas(wanted: float, now: int = START) -> Batch:
    ids = series_ids([SeriesKey(WEB.workload, "replicas").id])
    return Batch("replicas", now, ids, {"wanted": np.array([wanted]), "pods": ("{}",)})


def test_what_runs_is_known_for_three_minutes() -> None:
    picture = Picture()
    picture.take_replicas(replicas(3.0))
    picture.take_replicas(replicas(4.0, START + 5))
    assert picture.running(RULES, START + 5 + REPLICAS_STALE_MS).wanted.tolist() == [4.0]
    assert np.isnan(picture.running(RULES, START + 6 + REPLICAS_STALE_MS).wanted).all()


def test_what_was_never_told_is_not_known() -> None:
    assert np.isnan(Picture().running(RULES, START).wanted).all()


def test_a_lead_that_is_learnt_stands_when_the_cluster_is_silent() -> None:
    """And before anything is learnt the default does; what the policy gives is never touched."""
    rules = compile_rules([policy("web", forecast={"lead": "auto"}), policy("api", forecast={"lead": "7m"})])
    picture = Picture()
    first = measured_by(picture, rules)
    assert first.lead_ms.tolist() == [300_000, 420_000]
    assert first.lead_unlearnt.tolist() == [True, False]
    for key in (policy("web"), policy("api")):
        told: dict[str, Column] = {
            "wanted": np.array([1.0]),
            "lead_ms": np.array([90_000.0]),
            "pods": ("{}",),
        }
        picture.take_replicas(
            Batch("replicas", START, series_ids([SeriesKey(key.workload, "replicas").id]), told)
        )
    learnt = measured_by(picture, rules)
    assert learnt.lead_ms.tolist() == [90_000, 420_000]
    assert not learnt.lead_unlearnt.any()
    much_later = picture.running(rules, START + 10 * REPLICAS_STALE_MS)
    assert much_later.lead_ms.tolist() == [90_000, 90_000]


def forecast(**more: Any) -> Forecast:
    """Of two series: the first 1000 x lead + quantile, the second ten times that; `at` cells are 0."""
    cells = 1_000 * np.arange(1, L + 1)[:, None] + np.arange(Q)
    values = np.zeros((T, L, Q, 2), dtype=np.float32)
    values[MAX] = cells[:, :, None] * np.array([1, 10])
    uncalibrated, distrust = (
        np.array(more.get(name, [0, 0]), dtype=np.uint32) for name in ("uncalibrated", "distrust")
    )
    return Forecast(values, uncalibrated, distrust, np.zeros(2, np.int64))


def measured(*policies: ScalingPolicy, **more: Any) -> tuple[list[float], list[bool]]:
    """Predicted and uncalibrated of policies whose forecast is known for api, then web."""
    picture = Picture()
    picture.take_samples(sample(5.0))
    picture.take_forecast(series_ids([key(API).id, key(WEB).id]), forecast(**more), START)
    found = measured_by(picture, compile_rules(policies))
    assert found.predicted_ms.tolist() == [START] * len(policies)
    return found.predicted.tolist(), found.uncalibrated.tolist()


def again(hold: str, **more: Any) -> float:
    """What a forecast says of a policy's hold time."""
    picture = Picture()
    picture.take_samples(sample(5.0))
    picture.take_forecast(series_ids([key(API).id, key(WEB).id]), forecast(**more), START)
    scale_down = {"hold": hold} if hold else {}
    (found,) = measured_by(picture, compile_rules([policy("web", scaleDown=scale_down)])).again.tolist()
    return float(found)


@pytest.mark.parametrize(("hold", "value"), [("15m", 20_020), ("1h", 40_020), ("6h", 50_020)])
def test_what_is_needed_again_is_the_quantile_of_the_hold_time(hold: str, value: float) -> None:
    assert again(hold) == pytest.approx(value)


@pytest.mark.parametrize("hold", ["", "0s"])
def test_without_a_hold_time_nothing_is_needed_again(hold: str) -> None:
    assert math.isnan(again(hold))


def test_only_a_forecast_that_is_trusted_at_the_hold_time_says_what_is_needed_again() -> None:
    lost = [0, Cause.LOSS << 3 * (T * 3 + MAX)]
    assert math.isnan(again("1h", distrust=lost))
    assert again("15m", distrust=lost) == pytest.approx(20_020)


@pytest.mark.parametrize(
    ("lead", "quantile", "value"),
    [("5m", 0.5, 10_000), ("15m", 0.95, 20_020), ("1h", 0.99, 40_030), ("6h", 0.9, 50_010)],
)
def test_the_policy_chooses_the_cell_of_the_largest_load(lead: str, quantile: float, value: float) -> None:
    predicted, _ = measured(policy("web", forecast={"lead": lead, "quantile": quantile}))
    assert predicted == [pytest.approx(value)]


def test_a_series_without_a_forecast_has_none_and_no_doubts() -> None:
    predicted, uncalibrated = measured(policy("other"), WEB, uncalibrated=[2**25 - 1, 2**25 - 1])
    assert math.isnan(predicted[0])
    assert predicted[1] == pytest.approx(10_020)
    assert uncalibrated == [False, True]


def test_without_any_forecast_nothing_is_predicted() -> None:
    picture = Picture()
    picture.take_samples(sample(5.0))
    found = measured_by(picture, RULES)
    assert np.isnan(found.predicted).all()
    assert found.uncalibrated.tolist() == [False]


@pytest.mark.parametrize(
    ("lead", "quantile", "cell", "doubtful"),
    [
        ("5m", 0.95, (0, 2), True),
        ("3m", 0.95, (0, 2), True),
        ("5m", 0.95, (1, 2), False),
        ("5m", 0.95, (4, 2), False),
        ("5m", 0.95, (0, 3), False),
        ("6m", 0.95, (1, 2), True),
        ("15m", 0.95, (1, 2), True),
        ("15m", 0.95, (2, 2), False),
        ("5m", 0.93, (0, 2), True),
        ("5m", 0.99, (0, 3), True),
        ("5m", 0.5, (0, 0), True),
        ("6h", 0.9, (4, 1), True),
    ],
)
def test_a_policy_is_in_doubt_for_the_cells_that_it_reads(
    lead: str, quantile: float, cell: tuple[int, int], doubtful: bool
) -> None:
    bits = 1 << (cell[0] * (Q + 1) + cell[1])
    _, uncalibrated = measured(
        policy("web", forecast={"lead": lead, "quantile": quantile}), uncalibrated=[0, bits]
    )
    assert uncalibrated == [doubtful]


def test_no_policies_are_no_rows() -> None:
    predicted, uncalibrated = measured()
    assert predicted == uncalibrated == []


def test_policies_come_change_and_go() -> None:
    picture = Picture()
    documents = [b for b in describe(map(Standing.valid, (WEB, API)), START) if b.topic == "policies"]
    for batch in documents:
        picture.take_policy(batch)
    assert sorted(picture.policies) == ["shop/api", "shop/web"]
    (changed, *_) = describe([Standing.valid(policy("web", forecast={"lead": "20m"}))], START)
    picture.take_policy(changed)
    assert picture.policies["shop/web"].spec.forecast.lead == 20 * MINUTE_MS
    picture.take_policy(withdrawal(START, WEB.key))
    assert sorted(picture.policies) == ["shop/api"]


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"kind": "ScalingPolicy"})])
def test_a_policy_that_cannot_be_read_is_withdrawn_and_named(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    picture = Picture()
    picture.take_policy(describe([Standing.valid(WEB)], START)[0])
    picture.take_policy(Batch("policies", START, series_ids([1]), {"document": (text,)}, WEB.key))
    assert picture.policies == {}
    assert caplog.records[-1].levelno == logging.ERROR
    assert "the log's policy shop/web is left out" in caplog.text
