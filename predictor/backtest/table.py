"""How good the forecasts were: the mean pinball loss of the .95 quantile, beside reacting to what is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from predictor.backtest.traces import Trace
from predictor.backtest.truths import truth_of
from predictor.grid import LEADS_MS, QUANTILES, TARGETS

Doubles = NDArray[np.float64]
_Q = 0.95
_TINY = 1e-9


@dataclass(frozen=True)
class Row:
    """Geometric mean over the series, per lead of LEADS_MS: our loss as a ratio to each opponent's, and how often
    the .95 quantile covered what came."""

    target: str
    to_last: Doubles
    to_hour_max: Doubles
    coverage: Doubles


def scored(traces: Sequence[Trace], out_dir: Path) -> list[Row]:
    """Read back what `run` wrote."""
    return [_row(target, traces, out_dir) for target in TARGETS]


def printed(rows: Sequence[Row]) -> str:
    """The table as text, ratios below 1 being better than the opponent."""
    head = f"{'pinball(.95) as a ratio to':34s}" + "".join(f"{ms // 60_000:>8d}m" for ms in LEADS_MS)
    lines = [head]
    for row in rows:
        for label, values in (
            ("the last value", row.to_last),
            ("the largest of the last hour", row.to_hour_max),
            ("(coverage of .95)", row.coverage),
        ):
            lines.append(f"{row.target:4s}{label:30s}" + "".join(f"{v:9.3f}" for v in values))
    return "\n".join(lines)


def _row(target: str, traces: Sequence[Trace], out_dir: Path) -> Row:
    cells = np.array(
        [_losses(target, trace, out_dir) for trace in traces]
    )  # [trace, lead, (ours, last, hour, covered)]
    ours = cells[..., 0] + _TINY
    last, hour = (np.exp(np.nanmean(np.log(ours / (cells[..., i] + _TINY)), axis=0)) for i in (1, 2))
    return Row(target, last, hour, np.nanmean(cells[..., 3], axis=0))


def _losses(target: str, trace: Trace, out_dir: Path) -> Doubles:
    """[lead, 4]; losses as shares of the mean load; NaN where a lead has no truth."""
    found = np.full((len(LEADS_MS), 4), np.nan)
    with np.load(out_dir / f"{trace.name}.npz") as saved:
        served = saved[target][:, :, QUANTILES.index(_Q)].astype(float)
    mean = max(float(np.nanmean(trace.values)), _TINY)
    for i, lead_s in enumerate(trace.leads_s):
        truth = truth_of(target, trace.values, trace.origins, lead_s // trace.step_s)
        good = np.isfinite(truth)
        if good.any():
            rivals = (
                served[:, i],
                _trailing_max(trace, 1),
                _trailing_max(trace, max(1, 3600 // trace.step_s)),
            )
            losses = [_pinball(truth[good] - rival[good]) / mean for rival in rivals]
            covered = float((truth[good] <= served[good, i]).mean())
            found[LEADS_MS.index(lead_s * 1000)] = [*losses, covered]
    return found


def _trailing_max(trace: Trace, steps: int) -> Doubles:
    padded = np.concatenate([np.full(steps - 1, np.nan), trace.values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, steps)[trace.origins]
    return np.asarray(np.nan_to_num(np.fmax.reduce(windows, axis=1)))


def _pinball(error: Doubles) -> float:
    return float(np.maximum(_Q * error, (_Q - 1) * error).mean())
