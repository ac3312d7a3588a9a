"""How good the forecasts were: the mean pinball loss of the .95 quantile, beside what others would have lost."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from predictor.backtest.opponents import NAMES, Opponents
from predictor.backtest.traces import Trace
from predictor.backtest.truths import truth_of
from predictor.grid import LEADS_MS, QUANTILES, TARGETS, L, T

Doubles = NDArray[np.float64]
_Q = 0.95
_TINY = 1e-9


@dataclass(frozen=True)
class Score:
    """Of one trace, per target and lead of LEADS_MS; NaN where no truth is known."""

    ratios: Doubles  # [target, lead, opponent of NAMES]: our loss as a ratio to theirs
    coverage: Doubles  # [target, lead]: how often the .95 quantile covered what came


def scored(traces: Sequence[Trace], out_dir: Path, jobs: int = 1) -> list[Score]:
    """Read back what `run` wrote; the same for any number of jobs."""
    with ProcessPoolExecutor(jobs) as workers:
        return list(workers.map(partial(_score, out_dir), traces))


def printed(scores: Sequence[Score]) -> str:
    """The table as text: geometric means over the traces, below 1 being better than the opponent."""
    ratios = np.exp(_mean(np.log(np.stack([score.ratios for score in scores]))))
    coverage = _mean(np.stack([score.coverage for score in scores]))
    lines = [f"{'pinball(.95) as a ratio to':34s}" + "".join(f"{ms // 60_000:>8d}m" for ms in LEADS_MS)]
    for number, target in enumerate(TARGETS):
        columns = zip((*NAMES, "(coverage of .95)"), (*ratios[number].T, coverage[number]), strict=True)
        lines += [
            f"{target:4s}{label:30s}" + "".join(f"{v:9.3f}" for v in values) for label, values in columns
        ]
    return "\n".join(lines)


def _score(out_dir: Path, trace: Trace) -> Score:
    ratios, coverage = np.full((T, L, len(NAMES)), np.nan), np.full((T, L), np.nan)
    opponents = Opponents(trace, _Q)
    known = trace.values[trace.known]
    tiny = _TINY * max(float(known.sum()) / max(1, len(known)), _TINY)
    with np.load(out_dir / f"{trace.name}.npz") as saved:
        for target, name in enumerate(TARGETS):
            served = saved[name][:, :, QUANTILES.index(_Q)].astype(float)
            for column, lead_s in enumerate(trace.leads_s):
                truth = truth_of(name, trace.values, trace.origins, lead_s // trace.step_s)
                good = np.isfinite(truth)
                if good.any():
                    ours = _pinball(truth[good] - served[good, column]) + tiny
                    rivals = opponents.forecasts(name, lead_s).values()
                    cell = target, LEADS_MS.index(lead_s * 1000)
                    ratios[cell] = [ours / (_pinball((truth - rival)[good]) + tiny) for rival in rivals]
                    coverage[cell] = (truth[good] <= served[good, column]).mean()
    return Score(ratios, coverage)


def _pinball(error: Doubles) -> float:
    return float(np.maximum(_Q * error, (_Q - 1) * error).mean())


def _mean(values: Doubles) -> Doubles:
    """Over the traces, the first axis, that have a value."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.asarray(np.where(known, values, 0).sum(axis=0) / np.where(count > 0, count, np.nan))
