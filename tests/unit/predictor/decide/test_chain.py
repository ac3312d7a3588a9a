from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.distrust import Cause
from cme.core.readings import Flag
from cme.core.reasons import Reason
from tests.unit.predictor.decide.story import MINUTE, NAN, NOW, Story


def test_the_larger_of_raw_and_forecast_is_needed() -> None:
    result = Story().tick(NOW, [80.0, 250.0], [120.0, 90.0])
    assert result.need.tolist() == [120.0, 250.0]
    assert result.reasons.tolist() == [Reason.FORECAST, Reason.RAW]
    assert result.replicas.tolist() == [3.0]


def test_an_exact_multiple_costs_no_extra_replica() -> None:
    assert Story().tick(NOW, [0.1 * 3 / 0.1 * 40, 0.0]).replicas.tolist() == [3.0]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"predicted_ms": NOW - 180_001}, Reason.FORECAST_STALE | Reason.RAW),
        ({"flags": int(Flag.ESTIMATED)}, Reason.ESTIMATED | Reason.FORECAST),
        ({"uncalibrated": True}, Reason.UNCALIBRATED | Reason.FORECAST),
    ],
)
def test_doubts_are_named(more: dict[str, Any], reason: Reason) -> None:
    assert Story().tick(NOW, [80.0, 80.0], [120.0, 120.0], **more).reasons[0] == reason


def test_missing_and_stale_are_never_numbers() -> None:
    story = Story()
    assert np.isnan(story.tick(NOW, [NAN, NAN]).replicas).all()
    result = story.tick(NOW, [80.0, 80.0], [500.0, 500.0], raw_ms=NOW - 60_001)
    assert np.isnan(result.value).all()
    assert np.isnan(result.replicas).all()
    assert result.reasons.tolist() == [Reason.STALE, Reason.STALE]


def test_others_count_for_a_missing_signal_only_above_what_runs() -> None:
    story = Story()
    story.running = 5.0
    assert np.isnan(story.tick(NOW, [NAN, 500.0]).replicas).all()
    result = story.tick(NOW + 5000, [NAN, 501.0])
    assert result.replicas.tolist() == [6.0]
    assert result.replica_reasons[0] == Reason.PARTIAL


def served(story: Story, seconds: range, raw: float) -> Any:
    """The values served for a raw value at some seconds after NOW."""
    return np.array([story.tick(NOW + s * 1000, [raw, 0.0]).value[0] for s in seconds])


def test_the_largest_need_of_the_window_is_held_then_let_go_slowly() -> None:
    story = Story()
    story.tick(NOW, [1000.0, 0.0])
    assert set(served(story, range(5, 600, 5), 10.0)) == {1000.0}
    later = served(story, range(600, 600 + 3600, 5), 10.0)
    assert later[-1] == pytest.approx(10.0)


@pytest.mark.parametrize("offset_s", [0, 5, 30, 55])
def test_no_period_loses_more_than_its_share_whenever_the_decrease_begins(offset_s: int) -> None:
    story = Story(scaleDown={"window": "0s", "maxDecrease": "50%/1m"})
    served(story, range(0, 60 + offset_s, 5), 1000.0)
    values = np.append(1000.0, served(story, range(60 + offset_s, 900, 5), 1.0))
    within_a_minute = [values[i : i + 12].max() for i in range(len(values) - 12)]
    assert (values[12:] >= 0.5 * np.array(within_a_minute) - 1e-9).all()
    assert values[-1] == 1.0


def test_a_rise_is_served_at_once() -> None:
    story = Story()
    story.tick(NOW, [100.0, 0.0])
    assert story.tick(NOW + 5000, [5000.0, 0.0]).value[0] == 5000.0


@pytest.mark.parametrize("minutes", [1, 9, 11, 600])
def test_time_without_knowledge_counts_as_holding(minutes: int) -> None:
    story = Story()
    story.tick(NOW, [1000.0, 0.0])
    for minute in range(1, minutes + 1):
        assert np.isnan(story.tick(NOW + minute * MINUTE, [NAN, 0.0]).value[0])
    back = NOW + minutes * MINUTE
    assert story.tick(back + 5000, [10.0, 0.0]).value[0] == 1000.0
    assert story.tick(back + 9 * MINUTE, [10.0, 0.0]).value[0] == 1000.0


@pytest.mark.parametrize("jump", [60 * MINUTE, -60 * MINUTE, 2 * MINUTE, -2 * MINUTE])
def test_a_clock_that_is_set_lets_nothing_go(jump: int) -> None:
    story = Story()
    story.tick(NOW, [1000.0, 0.0])
    assert story.tick(NOW + jump, [10.0, 0.0]).value[0] == 1000.0
    assert story.tick(NOW + jump + 5 * MINUTE, [10.0, 0.0]).value[0] == 1000.0
    later = served(story, range(jump // 1000 + 300, jump // 1000 + 7200, 5), 10.0)
    assert later[-1] == pytest.approx(10.0)


def test_what_was_never_known_holds_nothing() -> None:
    story = Story()
    assert np.isnan(story.tick(NOW, [NAN, 0.0]).value[0])
    assert story.tick(NOW + 5000, [10.0, 0.0]).value[0] == 10.0


def test_a_restart_recalls_what_it_decided() -> None:
    story, restarted = Story(), Story()
    rng = np.random.default_rng(5)
    for n in range(400):
        now, raw = NOW + n * 5000, [float(rng.integers(1, 1000)) if n < 50 else 5.0, 0.0]
        result = story.tick(now, raw)
        restarted.slow.recall(now, story.rules.signal_ids, result.need, result.slowed)
    now += 5000
    assert restarted.tick(now, [5.0, 0.0]).value.tolist() == story.tick(now, [5.0, 0.0]).value.tolist()


def test_a_restart_recalls_what_is_held_since_a_gap() -> None:
    """Also where the log is read from after it only."""
    story, restarted, back = Story(), Story(), NOW + 60 * MINUTE
    story.tick(NOW, [1000.0, 0.0])
    for n, raw in enumerate([NAN, 10.0, 10.0]):
        now = back + n * 5000
        result = story.tick(now, [raw, 0.0])
        restarted.slow.recall(now, story.rules.signal_ids, result.need, result.slowed)
    for later in (now + 5000, back + 9 * MINUTE):
        assert restarted.tick(later, [10.0, 0.0]).value[0] == 1000.0
    end = served(restarted, range(4200, 4200 + 3600, 5), 10.0)
    assert end[-1] == pytest.approx(10.0)


NIGHT = {"name": "night", "start": "0 22 * * *", "duration": "10h", "minReplicas": 40, "maxReplicas": 50}
AT_NIGHT, AT_DAY = 1_800_054_000_000, 1_800_097_200_000  # 2027-01-15 23:00 and 2027-01-16 11:00 UTC


def test_a_schedule_bounds_the_replicas_and_the_signals() -> None:
    story = Story(schedules=[NIGHT], scaleDown={"window": "0s"})
    night = story.tick(AT_NIGHT, [400.0, 100.0])
    assert (night.replicas[0], night.floor[0]) == (40.0, 40.0)
    assert night.value.tolist() == [1600.0, 4000.0]
    assert night.replica_reasons[0] == Reason.SCHEDULE_FLOOR
    assert story.tick(AT_NIGHT + 5000, [40_000.0, 0.0]).replicas[0] == 50.0
    day = story.tick(AT_DAY, [400.0, 100.0])
    assert (day.replicas[0], day.floor[0]) == (10.0, 0.0)


def test_limits_bound_the_replicas_and_the_signals() -> None:
    story = Story(limits={"minReplicas": 3, "maxReplicas": 50}, scaleDown={"window": "0s"})
    low = story.tick(NOW, [40.0, 100.0])
    assert (low.replicas[0], low.floor[0], low.value.tolist()) == (3.0, 3.0, [120.0, 300.0])
    assert low.replica_reasons[0] == Reason.LIMIT_FLOOR
    high = story.tick(NOW + 5000, [40_000.0, 0.0])
    assert (high.replicas[0], high.value.tolist()) == (50.0, [2000.0, 300.0])
    assert high.replica_reasons[0] == Reason.LIMIT_CEILING


def test_a_floor_never_depends_on_a_signal() -> None:
    result = Story(schedules=[NIGHT]).tick(AT_NIGHT, [NAN, NAN])
    assert result.floor[0] == 40.0
    assert np.isnan(result.replicas[0])


def test_a_floor_within_the_hpas_tolerance_is_raised_for_replicas_and_signals() -> None:
    story = Story(schedules=[NIGHT], scaleDown={"window": "0s"})
    story.running = 37.0
    night = story.tick(AT_NIGHT, [40.5 * 40, 100.0])
    tolerant = Reason.SCHEDULE_FLOOR | Reason.SCHEDULE_TOLERANCE
    assert (night.replicas[0], night.floor[0]) == (41.0, 41.0)
    assert night.value.tolist() == [41 * 40.0, 41 * 100.0]
    # 40.5 is more than the floor, but within the tolerance: the HPA would stay below the floor.
    assert night.reasons[0] & tolerant == tolerant
    story.running = 41.0
    assert story.tick(AT_NIGHT + 5000, [400.0, 100.0]).replicas[0] == 40.0


def test_a_floor_wins_over_another_schedules_ceiling() -> None:
    second = {"name": "more", "start": "0 22 * * *", "duration": "10h", "minReplicas": 60}
    story = Story(schedules=[NIGHT, second])
    low = story.tick(AT_NIGHT, [4.0, 1.0])
    assert low.replicas[0] == 60.0
    assert low.replica_reasons[0] == Reason.SCHEDULE_FLOOR | Reason.SCHEDULE_CONFLICT
    high = story.tick(AT_NIGHT + 5000, [40_000.0, 1.0])
    assert high.replicas[0] == 60.0
    assert high.replica_reasons[0] == Reason.SCHEDULE_CEILING | Reason.SCHEDULE_CONFLICT


def test_a_forecast_that_is_not_trusted_leaves_the_measured_value_alone() -> None:
    result = Story().tick(NOW, [80.0, 80.0], [500.0, 500.0], causes=int(Cause.LOSS | Cause.COVERAGE))
    assert result.need.tolist() == [80.0, 80.0]
    assert result.reasons[0] == Reason.UNTRUSTED_LOSS | Reason.UNTRUSTED_COVERAGE | Reason.RAW


def test_the_nowcast_stands_for_a_forecast_that_is_not_trusted() -> None:
    doubt = {"causes": int(Cause.LOSS), "soon": [120.0, 70.0]}
    result = Story().tick(NOW, [80.0, 80.0], [500.0, 500.0], **doubt)
    assert result.need.tolist() == [120.0, 80.0]
    assert result.reasons.tolist() == [
        Reason.UNTRUSTED_LOSS | Reason.NOWCAST,
        Reason.UNTRUSTED_LOSS | Reason.RAW,
    ]


def test_beside_a_forecast_that_is_trusted_the_nowcast_is_in_it_already() -> None:
    result = Story().tick(NOW, [80.0, 80.0], [100.0, 100.0], soon=[120.0, 120.0])
    assert result.need.tolist() == [100.0, 100.0]
    assert result.reasons[0] == Reason.FORECAST


def test_a_forecast_that_is_too_old_is_not_blamed_for_more() -> None:
    old = {"predicted_ms": NOW - 180_001, "causes": int(Cause.OVER), "capped": True}
    assert Story().tick(NOW, [80.0, 80.0], [500.0, 500.0], **old).reasons[0] == (
        Reason.FORECAST_STALE | Reason.RAW
    )


def test_a_quantile_that_lacks_errors_is_named() -> None:
    result = Story().tick(NOW, [80.0, 80.0], [120.0, 120.0], capped=True)
    assert result.reasons[0] == Reason.QUANTILE_CAPPED | Reason.FORECAST


FULL: dict[str, Any] = {"flags": int(Flag.SATURATED)}


@given(loads=st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_while_the_workload_is_saturated_nothing_is_decreased(loads: list[float]) -> None:
    story = Story(scaleDown={"window": "0s", "maxDecrease": "100%/1m"})
    values = [
        story.tick(NOW + n * 60_000, [x, 0.0], [x / 2, 0.0], **FULL).value[0] for n, x in enumerate(loads)
    ]
    assert values == np.maximum.accumulate(loads).tolist()


def test_saturation_is_named_and_holds_only_while_it_lasts() -> None:
    story = Story(scaleDown={"window": "0s", "maxDecrease": "100%/1m"})
    story.tick(NOW, [1000.0, 0.0])
    full = story.tick(NOW + MINUTE, [10.0, 0.0], **FULL)
    assert full.value[0] == 1000.0
    assert full.reasons[0] == Reason.SATURATED | Reason.FORECAST_MISSING | Reason.RAW
    assert story.tick(NOW + 4 * MINUTE, [10.0, 0.0]).value[0] == 10.0


def test_what_is_missing_is_not_saturated() -> None:
    story = Story()
    story.tick(NOW, [1000.0, 0.0])
    missing = story.tick(NOW + MINUTE, [NAN, 0.0], **FULL)
    assert np.isnan(missing.value[0])
    assert missing.reasons[0] == Reason.MISSING
