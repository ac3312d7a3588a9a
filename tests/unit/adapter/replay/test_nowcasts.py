"""The nowcast of a past."""

from pathlib import Path

import numpy as np

from adapter.replay.forecasts import Forecasts, Series
from adapter.replay.load import Doubles, Load, minutes_of
from adapter.replay.nowcasts import TICK_MS, nowcasts_of
from cme.collector.rollup import CLOSE_AFTER_MS
from cme.core.batch import Batch, series_ids
from cme.core.durations import HOUR_MS, MINUTE_MS
from predictor.grid import L, Q
from predictor.nowcast.nowcast import Nowcast
from tests.unit.adapter.replay.past import START

WINDOW_MS = 30_000
KNOWN_FROM = START + 20 * MINUTE_MS  # there are forecasts


def load(seed: int = 5, hours: int = 6) -> Load:
    values = 100 + np.random.default_rng(seed).normal(0, 10, (1, 60 * hours))
    return Load(START, MINUTE_MS, values)


def forecasts(of: Load) -> Forecasts:
    ends = minutes_of(of)
    ends = ends[ends >= KNOWN_FROM]
    means = of.mean(ends, 10 * MINUTE_MS)[0]
    values = (means + 10 * np.arange(Q)[:, None]) * np.ones((L, 1, 1))
    nothing = np.zeros(len(ends), dtype=np.uint32)
    return Forecasts(ends, values.astype(np.float32), nothing, nothing)


def told(of: Load, times_ms: np.ndarray) -> Doubles:
    return nowcasts_of([Series(1, of, 0)], {1: forecasts(of)}, WINDOW_MS)[1].at(times_ms)


def lived(of: Load, folder: Path, times_ms: np.ndarray) -> Doubles:
    """By the nowcast of a running predictor."""
    nowcast, said, ids = Nowcast(folder), forecasts(of), series_ids([1])
    raw, rows, minutes, found = of.mean(times_ms, WINDOW_MS)[0], said.newest(times_ms), minutes_of(of), []
    unknown = np.full(1, np.nan)
    nowcast.tell(START, ids, unknown, unknown, np.full((L, Q, 1), np.nan))
    closed = 0
    for now, load_now, row in zip(times_ms.tolist(), raw, rows.tolist(), strict=True):
        while minutes[closed] <= now - CLOSE_AFTER_MS:
            end = minutes[closed : closed + 1]
            columns = {"mean": of.mean(end, MINUTE_MS)[0], "max": of.largest(end, MINUTE_MS)[0]}
            nowcast.take_minute(Batch("minutes", int(end[0]), ids, dict(columns)))
            closed += 1
        expected = said.largest[:, :, row, None].astype(float) if row >= 0 else np.full((L, Q, 1), np.nan)
        sample = np.array([load_now])
        found.append(nowcast.tell(now, ids, sample, sample, expected)[:, 0])
    return np.array(found).T


def test_it_says_what_a_running_one_would_have_said(tmp_path: Path) -> None:
    of = load()
    times = np.arange(START + 2 * MINUTE_MS, of.end_ms - 10 * MINUTE_MS, TICK_MS)
    replayed, live = told(of, times), lived(of, tmp_path, times)
    known = np.isfinite(replayed).all(axis=0)
    assert known.mean() > 0.7  # after its first hour
    np.testing.assert_allclose(replayed[:, known], live[:, known], rtol=1e-4)


def test_nothing_is_said_before_anything_is_learnt() -> None:
    of = load()
    assert np.isnan(told(of, np.array([KNOWN_FROM, KNOWN_FROM + HOUR_MS]))).all()


def test_what_comes_later_changes_nothing() -> None:
    of, until = load(), START + 4 * HOUR_MS
    other = Load(START, MINUTE_MS, np.where(of.edges_ms[:-1] < until, of.values, 7.0))
    times = np.arange(KNOWN_FROM, until, TICK_MS)
    np.testing.assert_array_equal(told(of, times), told(other, times))


def test_a_gap_of_the_load_is_a_gap_of_the_nowcast() -> None:
    of = load()
    of.values[0, 200] = np.nan
    times = START + 200 * MINUTE_MS + np.array([-TICK_MS, MINUTE_MS // 2, 2 * MINUTE_MS])
    assert np.isnan(told(of, times)).all(axis=0).tolist() == [False, True, False]
