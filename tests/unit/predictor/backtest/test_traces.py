import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.backtest.traces import Trace, binned
from tests.unit.predictor.backtest.tales import DAY_S, evenly, tide

STEPS = [n for n in range(1, 3601) if any(lead % n == 0 for lead in (300, 900, 1800, 3600, 21600))]


def trace(step_s: int, days: float = 2) -> Trace:
    values = tide(days, step_s)
    return Trace("web", evenly(step_s, len(values)), values)


@given(step_s=st.sampled_from(STEPS))
def test_every_step_has_a_beat_that_divides_its_leads(step_s: int) -> None:
    one = Trace("web", evenly(step_s, 3), np.zeros(3))
    assert one.beat_ms >= step_s * 1000
    assert all(lead * 1000 % one.beat_ms == 0 for lead in one.leads_s)


@settings(max_examples=30, deadline=None)
@given(step_s=st.sampled_from([n for n in STEPS if n >= 15]))
def test_a_beat_holds_what_came_since_the_one_before_and_an_origin_knows_no_later_one(step_s: int) -> None:
    one = trace(step_s)
    bins, beat_s = binned(one), one.beat_ms / 1000
    for beat in range(0, len(bins.last), 17):
        inside = [i for i in range(one.origins[-1] + 1) if (beat - 1) * beat_s < i * step_s <= beat * beat_s]
        expected = (
            [one.values[inside[-1]], one.values[inside].mean(), one.values[inside].max()] if inside else []
        )
        found = [float(v) for v in (bins.last[beat], bins.mean[beat], bins.largest[beat]) if np.isfinite(v)]
        assert found == pytest.approx(expected, rel=1e-6)
    late = one.origins * step_s - one.origin_beats * beat_s
    assert ((late >= 0) & (late < beat_s)).all()


def test_origins_follow_a_warm_up_of_half_the_trace_and_leave_room_for_the_longest_lead() -> None:
    for days, warm in ((1.0, 0), (4.0, 2), (40.0, 14)):
        origins = trace(300, days).origins * 300 / DAY_S
        assert origins[0] == warm
        assert origins[-1] == pytest.approx(min(days - 0.25, warm + 28), abs=0.01)
