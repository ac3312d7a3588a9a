import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.policy import Spec
from cme.core.reasons import Reason
from cme.core.schedules import Bounds, Told, replica_bounds
from tests.unit.cme.core.scheduled import FIRST_YEAR, YEARS, ZONES, changes, compare

UNKNOWN = math.nan


def spec(*schedules: dict[str, Any], **more: Any) -> Spec:
    """Schedules from 09:00 on for eight hours unless they say otherwise; the lead is 5m."""
    document = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "signals": [{"name": "qps", "source": {"x": {}}, "perReplica": 1}],
        "schedules": [
            {"name": f"s{number}", "start": "0 9 * * *", "duration": "8h"} | one
            for number, one in enumerate(schedules)
        ],
    }
    return Spec.model_validate(document | more)


def at(
    clock: str, of: Spec, running: float = UNKNOWN, day: str = "2026-06-01", quota: float = UNKNOWN
) -> Bounds:
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)
    return replica_bounds(of, int(moment.timestamp() * 1000), Told(running, quota=quota))


def test_without_a_schedule_nothing_is_bound() -> None:
    assert at("12:00", spec())[:2] == (0, math.inf)
    assert at("12:00", spec({"maxReplicas": 9}))[:2] == (0, 9)


def test_the_floor_is_served_a_lead_before_the_start_and_the_ceiling_is_not() -> None:
    day = spec({"minReplicas": 4, "maxReplicas": 9})
    assert at("08:54:59", day)[:2] == (0, math.inf)
    assert at("08:55", day) == (4, math.inf, Reason.SCHEDULE_AHEAD, Reason.SCHEDULE_CEILING)
    assert at("09:00", day) == (4, 9, Reason.SCHEDULE_FLOOR, Reason.SCHEDULE_CEILING)
    assert at("17:00", day)[:2] == (0, math.inf)


def test_a_ramp_rises_to_the_floor_until_the_lead_before_the_start() -> None:
    ramped = spec({"minReplicas": 10, "ramp": "30m"})
    floors = [
        at(clock, ramped).floor for clock in ("08:24", "08:25", "08:26", "08:28", "08:40", "08:52", "08:55")
    ]
    assert floors == [0, 0, 1, 1, 5, 9, 10]
    assert at("08:40", ramped).floor_reasons == Reason.SCHEDULE_RAMP


def test_of_overlapping_schedules_the_largest_floor_and_the_smallest_ceiling_win() -> None:
    both = spec(
        {"minReplicas": 4, "maxReplicas": 9}, {"minReplicas": 5, "maxReplicas": 12}, {"minReplicas": 3}
    )
    assert at("12:00", both) == (5, 9, Reason.SCHEDULE_FLOOR, Reason.SCHEDULE_CEILING)


def test_a_floor_above_anothers_ceiling_wins_and_says_so() -> None:
    both = spec({"maxReplicas": 9}, {"minReplicas": 12})
    floor, ceiling, raised, lowered = at("12:00", both)
    assert (floor, ceiling) == (12, 12)
    assert raised == Reason.SCHEDULE_FLOOR | Reason.SCHEDULE_CONFLICT
    assert lowered == Reason.SCHEDULE_CEILING | Reason.SCHEDULE_CONFLICT


LIMITED = {"limits": {"minReplicas": 2, "maxReplicas": 20}}


def test_limits_hold_always_and_schedules_move_between_them() -> None:
    day = spec({"minReplicas": 5, "maxReplicas": 9}, **LIMITED)
    assert at("03:00", day) == (2, 20, Reason.LIMIT_FLOOR, Reason.LIMIT_CEILING)
    assert at("08:55", day) == (5, 20, Reason.SCHEDULE_AHEAD, Reason.LIMIT_CEILING)
    assert at("12:00", day) == (5, 9, Reason.SCHEDULE_FLOOR, Reason.SCHEDULE_CEILING)


def test_a_limit_that_a_schedule_does_not_reach_stays() -> None:
    wide = spec({"minReplicas": 1, "maxReplicas": 30}, **LIMITED)
    assert at("12:00", wide) == (2, 20, Reason.LIMIT_FLOOR, Reason.LIMIT_CEILING)


@given(
    schedules=st.lists(st.tuples(st.integers(0, 20), st.integers(2, 40)), max_size=4),
    running=st.floats(0, 100) | st.just(UNKNOWN),
)
def test_nothing_leaves_the_limits(schedules: list[tuple[int, int]], running: float) -> None:
    """Whatever schedules say and however the HPA's tolerance raises a floor."""
    bounds = [{"minReplicas": min(pair), "maxReplicas": max(pair)} for pair in schedules]
    found = at("12:00", spec(*bounds, **LIMITED), running)
    assert 2 <= found.floor <= found.ceiling <= 20


def test_a_schedule_may_skip_the_policys_holidays() -> None:
    free = spec({"minReplicas": 4, "skipHolidays": True}, {"minReplicas": 2}, holidays=["2026-06-01"])
    assert [at("12:00", free, day=day).floor for day in ("2026-05-31", "2026-06-01", "2026-06-02")] == [
        4,
        2,
        4,
    ]


FORTY = spec({"minReplicas": 40})
TOLERANT = Reason.SCHEDULE_FLOOR | Reason.SCHEDULE_TOLERANCE


@pytest.mark.parametrize(
    ("running", "floor", "reasons"),
    [
        (36, 40, Reason.SCHEDULE_FLOOR),  # 40 / 36 = 1.11
        (37, 41, TOLERANT),  # 40 / 37 = 1.08
        (39, 43, TOLERANT),
        (40, 40, Reason.SCHEDULE_FLOOR),
        (43, 40, Reason.SCHEDULE_FLOOR),
        (0, 40, Reason.SCHEDULE_FLOOR),
        (UNKNOWN, 40, Reason.SCHEDULE_FLOOR),
    ],
)
def test_a_floor_within_the_hpas_tolerance_is_raised(running: float, floor: int, reasons: Reason) -> None:
    found = at("12:00", FORTY, running)
    assert (found.floor, found.floor_reasons) == (floor, reasons)


def test_no_more_than_the_ceiling_is_served_and_a_floor_that_is_not_heeded_is_named() -> None:
    unheeded = Reason.SCHEDULE_FLOOR | Reason.SCHEDULE_UNHEEDED
    found = [at("12:00", spec({"minReplicas": 40, "maxReplicas": most}), 37) for most in (40, 41)]
    assert [(one.floor, one.floor_reasons) for one in found] == [(40, unheeded), (41, TOLERANT)]
    assert found[0].ceiling_reasons == Reason.SCHEDULE_CEILING | Reason.SCHEDULE_UNHEEDED
    near = at("12:00", spec({"minReplicas": 39, "maxReplicas": 40}), 37)
    assert (near.floor, near.floor_reasons) == (40, unheeded | Reason.SCHEDULE_TOLERANCE)


def test_with_a_tolerance_of_0_the_floor_is_served_as_it_is() -> None:
    exact = spec({"minReplicas": 40}, scaleUp={"tolerance": 0})
    assert at("12:00", exact, 37)[:3] == (40, math.inf, Reason.SCHEDULE_FLOOR)


@given(
    running=st.integers(1, 100_000),
    floor=st.integers(1, 100_000),
    tolerance=st.sampled_from([0, 0.05, 0.07, 0.1, 0.15, 0.2, 1]),
)
def test_what_is_served_is_heeded_by_the_ratio(running: int, floor: int, tolerance: float) -> None:
    served = at("12:00", spec({"minReplicas": floor}, scaleUp={"tolerance": tolerance}), running).floor
    assert served >= floor
    if running < floor:
        assert served / running > 1 + tolerance
        assert served == floor or (served - 1) / running <= 1 + tolerance + 1e-12, "no more than is needed"
    else:
        assert served == floor


@pytest.mark.parametrize("zone", ZONES)
def test_the_days_on_which_clocks_change_go_as_a_walk_over_their_minutes(zone: str) -> None:
    """Of ten years, from 3 hours before each change to 12 behind it."""
    for change in changes(zone):
        assert compare(zone, change - 3 * 60, 15 * 60) > 1


@pytest.mark.slow
@pytest.mark.parametrize("year", range(FIRST_YEAR, FIRST_YEAR + YEARS, 2))
@pytest.mark.parametrize("zone", ZONES)
def test_ten_years_of_minutes_go_as_a_walk_over_them(zone: str, year: int) -> None:
    first, end = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) // 60 for y in (year, year + 2))
    assert compare(zone, first, end - first) > 5


@pytest.mark.parametrize(
    ("quota", "ceiling"), [(10, 8), (11, 8), (1, 1), (math.inf, math.inf), (UNKNOWN, math.inf)]
)
def test_a_share_of_the_quota_is_a_ceiling_of_at_least_one(quota: float, ceiling: float) -> None:
    bounds = at("12:00", spec(limits={"quotaShare": "80%"}), quota=quota)
    assert bounds.ceiling == ceiling
    if ceiling < math.inf:
        assert bounds.ceiling_reasons == Reason.QUOTA_CEILING


def test_the_tighter_of_quota_and_limits_counts() -> None:
    both = spec(limits={"quotaShare": "50%", "maxReplicas": 6})
    assert at("12:00", both, quota=10)[1:] == (5, Reason.NONE, Reason.QUOTA_CEILING)
    assert at("12:00", both, quota=30)[1:] == (6, Reason.NONE, Reason.LIMIT_CEILING)
    assert at("12:00", spec(), quota=1).ceiling == math.inf
