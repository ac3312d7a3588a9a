"""What the benches of young and disturbed series share: traces in beats, engines stepped over them, losses."""

from bisect import insort
from collections.abc import Sequence
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Floats
from predictor.backtest.traces import Binned, binned, read
from predictor.engine import Engine
from predictor.grid import AT, BEAT_MS, MAX, QUANTILES, Grid, L, T
from predictor.history import Bin

Doubles = NDArray[np.float64]
GRID = Grid()
Q95 = QUANTILES.index(0.95)
_NAMES = ("last", "mean", "largest")


def beats_of(folder: Path, fewer: int = 1) -> dict[str, Binned]:
    """Every `fewer`-th trace of a folder whose samples are not further apart than the engine's beat."""
    traces = [read(path) for path in sorted(folder.glob("*.csv.gz"))]
    own = [trace for trace in traces if trace.beat_ms == BEAT_MS]
    return {trace.name: binned(trace) for trace in own[::fewer]}


def bin_at(series: Sequence[Binned], beats: Sequence[int]) -> Bin:
    """What each of the series saw on its beat; a gap before its first and after its last."""
    columns = [
        [getattr(s, name)[b] if 0 <= b < len(s.last) else np.nan for s, b in zip(series, beats, strict=True)]
        for name in _NAMES
    ]
    return Bin(*(np.array(column, dtype=np.float32) for column in columns))


def stepped(engine: Engine, series: Sequence[Binned], starts: Sequence[int], first: int, stop: int) -> Floats:
    """Step the engine's rows, each from its start on, over beats [first, stop): .95 [beat, T, L, series]."""
    engine.rows(range(len(series)))
    made = []
    for beat in range(first, stop):
        forecast = engine.step(beat, bin_at(series, [beat - start for start in starts]))
        made.append(forecast.values[:, :, Q95])
    return np.array(made)


def truths(series: Binned, beats: int) -> Doubles:
    """[beat, T, L]: what each of the first `beats` origins was asked for; NaN where a value is missing."""
    found = np.full((beats, T, L), np.nan)
    for lead, steps in enumerate(GRID.lead_beats):
        known = min(beats, len(series.last) - steps)
        found[:known, AT, lead] = series.last[steps : steps + known]
        windows = np.lib.stride_tricks.sliding_window_view(series.largest[1:], steps)[:known]
        found[:known, MAX, lead] = windows.max(axis=1)
    return found


def conformal(series: Binned, truth: Doubles, q: float = 0.95) -> Doubles:
    """The last value and the q-quantile of its own errors known by then, rank ceil((n + 1) q), the largest where
    there are too few: [beat, T, L]."""
    found = np.empty_like(truth)
    for target, lead in np.ndindex(T, L):
        errors: list[float] = []
        for beat in range(len(truth)):
            due = beat - GRID.lead_beats[lead]
            if due >= 0 and np.isfinite(error := truth[due, target, lead] - series.last[due]):
                insort(errors, float(error))
            rank = min(len(errors), ceil((len(errors) + 1) * q))
            found[beat, target, lead] = series.last[beat] + (errors[rank - 1] if errors else 0)
    return np.maximum(found, 0)


def pinball(truth: Doubles, quantile: Floats | Doubles, q: float = 0.95) -> Doubles:
    error = truth - quantile
    return np.asarray(np.maximum(q * error, (q - 1) * error), dtype=float)


def ratio(ours: Doubles, theirs: Doubles, level: float) -> float:
    """Of mean losses over what both were asked; a loss of a millionth of the level is none. NaN for nothing."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    if not both.any():
        return float("nan")
    return float((ours[both].mean() + 1e-6 * level) / (theirs[both].mean() + 1e-6 * level))
