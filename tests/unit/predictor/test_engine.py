import numpy as np
import pytest

from predictor.arrays import Floats
from predictor.between import between
from predictor.engine import Engine, beat_of
from predictor.grid import AT, LEADS_MS, MAX, QUANTILES, Grid, cell_name
from predictor.history import Bin
from predictor.presets import BEST, FAST

GRID = Grid()
DAY, LEAD_BEATS = GRID.day, GRID.lead_beats


def noisy_tide(days: int, series: int = 3, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    level = 1000 + 800 * np.sin(2 * np.pi * np.arange(days * DAY) / DAY)
    noise = 1 + 0.05 * rng.standard_normal((days * DAY, series))
    return np.asarray(level[:, None] * noise, dtype=np.float32)


def seen(load: Floats) -> Bin:
    """A beat in which the load did not change."""
    return Bin(load, load, load)


def run(engine: Engine, x: Floats, first: int = 0) -> Floats:
    """Forecast values [beat, target, lead, quantile, series]."""
    engine.rows(range(x.shape[1]))
    return np.array([engine.step(first + b, seen(v)).values for b, v in enumerate(x)])


def test_it_learns_the_day_and_covers_what_it_promises() -> None:
    x = noisy_tide(21)
    values = run(Engine(), x)[14 * DAY :]
    truth = x[14 * DAY :]
    for lead, beats in enumerate(LEAD_BEATS):
        covered = [(truth[beats:] <= values[:-beats, AT, lead, q]).mean() for q in range(len(QUANTILES))]
        assert covered[2] == pytest.approx(0.95, abs=0.03)
        median_error = np.abs(truth[beats:] - values[:-beats, AT, lead, 0]).mean() / truth.mean()
        assert median_error < 0.07  # noise alone costs .04; the last value would be off by .58 at 6 h


def test_quantiles_never_cross_and_stay_below_twice_the_largest() -> None:
    x = noisy_tide(3)
    values = run(Engine(), x)
    finite = values[np.isfinite(values).all(axis=(1, 2, 3, 4))]
    assert (np.diff(finite, axis=3) >= 0).all()
    assert finite.max() <= 2.0001 * x.max()


def test_the_largest_of_a_longer_time_is_no_smaller_and_no_less_than_the_load_at_its_end() -> None:
    values = run(Engine(), noisy_tide(2))[DAY:]
    assert (np.diff(values[:, MAX], axis=1) >= 0).all()
    assert (values[:, MAX] >= values[:, AT]).all()


def test_uncalibrated_until_a_rank_has_enough_errors() -> None:
    engine = Engine()
    engine.rows([0])
    marks = [int(engine.step(b, seen(np.full(1, 100, np.float32))).uncalibrated[0]) for b in range(110)]
    lead0_q95, lead0_q99 = 1 << 2, 1 << 3
    assert marks[10] & lead0_q95
    assert not marks[21] & lead0_q95
    assert marks[21] & lead0_q99
    assert not marks[101] & lead0_q99


def test_future_values_change_no_forecast_made_before() -> None:
    x = noisy_tide(4)
    y = x.copy()
    y[2 * DAY :] *= 50
    np.testing.assert_array_equal(run(Engine(), x)[: 2 * DAY], run(Engine(), y)[: 2 * DAY])


def test_a_restart_goes_on_as_if_nothing_had_happened() -> None:
    x = noisy_tide(4)
    whole, first, second = Engine(), Engine(), Engine()
    expected = run(whole, x)
    run(first, x[: 3 * DAY])
    second.load(first.save())
    np.testing.assert_array_equal(run(second, x[3 * DAY :], first=3 * DAY), expected[3 * DAY :])


def test_state_of_another_version_is_refused() -> None:
    engine = Engine()
    engine.rows([1])
    saved = engine.save()
    saved["counters"] = np.array([99, *saved["counters"][1:]])
    with pytest.raises(ValueError, match="version 99"):
        Engine().load(saved)


def test_state_of_another_preset_is_refused() -> None:
    for one, other in ((FAST, BEST), (BEST, FAST)):
        engine = Engine(preset=one)
        engine.rows([1])
        with pytest.raises(ValueError, match="no fitting array"):
            Engine(preset=other).load(engine.save())


def test_a_gap_stays_a_gap_and_passes() -> None:
    x = noisy_tide(5)
    x[3 * DAY : 3 * DAY + 20, 0] = np.nan
    engine = Engine()
    run(engine, x[: 3 * DAY + 5])
    amid = engine.forecast(x[3 * DAY + 5], x[3 * DAY + 5]).values
    assert np.isnan(amid[..., 0]).all()
    assert np.isfinite(amid[..., 1:]).all()
    assert np.isfinite(run(engine, x[3 * DAY + 5 :], first=3 * DAY + 5)[-1]).all()


@pytest.mark.parametrize("primed", [14 * DAY - 72, 14 * DAY - 5])
def test_what_was_primed_only_forecasts_the_day_before_it_has_learned(primed: int) -> None:
    x = noisy_tide(14)
    engine = Engine()
    engine.rows(range(3))
    for beat, load in enumerate(x[:primed]):
        engine.prime(beat, seen(load), seasons=beat >= primed - 2 * GRID.longest)
    values = run(engine, x[primed:], first=primed)[-1]
    truth = noisy_tide(15, seed=2)[14 * DAY - 1 + np.array(LEAD_BEATS)]
    for lead in range(len(LEAD_BEATS)):
        assert np.abs(values[AT, lead, 0] - truth[lead]).mean() < 0.25 * truth[lead].mean()


def test_beats_that_nobody_saw_leave_nothing_stale_behind() -> None:
    x = noisy_tide(3)
    engine = Engine()
    run(engine, x)
    jumped = engine.step(3 * DAY + 100, seen(x[0])).values
    assert np.isfinite(jumped).all()
    with pytest.raises(ValueError, match="not after"):
        engine.step(5, seen(x[0]))


def test_a_new_series_joins_without_touching_the_others() -> None:
    x = noisy_tide(2)
    alone, joined = Engine(), Engine()
    expected = run(alone, x)
    run(joined, x[:DAY])
    joined.rows([99])
    later = [joined.step(DAY + b, seen(np.append(v, v[0]))).values for b, v in enumerate(x[DAY:])]
    settled = np.array(later)[-1, ..., :3]
    np.testing.assert_allclose(settled, expected[-1], rtol=0.05)  # only the pooled errors may differ


def test_zero_load_is_a_load() -> None:
    values = run(Engine(), np.zeros((DAY, 1), dtype=np.float32))
    assert (values[-1] == 0).all()


def test_forecasting_between_beats_learns_nothing() -> None:
    x = noisy_tide(3)
    engine = Engine()
    at_beat = run(engine, x)[-1]
    engine.forecast(x[-1] * 3, x[-1] * 3)
    np.testing.assert_array_equal(engine.forecast(x[-1], x[-1]).values, at_beat)


def test_beats_end_on_the_five_minutes() -> None:
    assert beat_of(300_000) == 0
    assert beat_of(300_001) == 1


def test_cells_are_named_for_people() -> None:
    assert cell_name(MAX, 1, 2) == "max.15m.q95"


class TestBetween:
    values = np.arange(20, dtype=float).reshape(5, 4, 1) + 100

    def at(self, lead_ms: float, quantile: float) -> float:
        soon = np.full(1, np.nan)
        return float(
            between(self.values, np.array([50.0]), soon, np.array([lead_ms]), np.array([quantile]))[0]
        )

    def test_grid_points_are_exact(self) -> None:
        for i, lead in enumerate(LEADS_MS):
            for j, q in enumerate(QUANTILES):
                assert self.at(lead, q) == pytest.approx(self.values[i, j, 0])

    def test_it_starts_at_the_last_value_and_is_monotone(self) -> None:
        leads = np.linspace(0, LEADS_MS[-1], 200)
        line = [self.at(lead, 0.95) for lead in leads]
        assert line[0] == 50.0
        assert (np.diff(line) >= 0).all()

    def test_it_grows_with_the_quantile(self) -> None:
        line = [self.at(20 * 60_000, q) for q in np.linspace(0.5, 0.99, 50)]
        assert (np.diff(line) > 0).all()
