"""How often quantiles above .99 hold what they promise: python -m tests.bench.beyond TRACES OUT

OUT is what `tidecast backtest TRACES --out OUT` wrote. Per target and lead the mean coverage over the traces, beside that
of .99.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from predictor.backtest.reading import read
from predictor.backtest.traces import Trace
from predictor.backtest.truths import truth_of
from predictor.between import between
from predictor.grid import LEADS_MS, QUANTILES, TARGETS, L

LEVELS = (0.99, 0.995, 0.999)
_ROW = "{:3s} {:>5s}" + "{:>8s}" * len(LEVELS)


def coverages(trace: Trace, out: Path, target: str) -> NDArray[np.float64]:
    """[lead, level]; NaN where the trace has no such lead."""
    found = np.full((L, len(LEVELS)), np.nan)
    with np.load(out / f"{trace.name}.npz") as saved:
        served = saved[target].astype(float)
    for column, lead_s in enumerate(trace.leads_s):
        truth = truth_of(target, trace.values, trace.origins, lead_s // trace.step_s)
        good = np.isfinite(truth) & np.isfinite(served[:, column]).all(axis=1)
        if good.any():
            found[LEADS_MS.index(lead_s * 1000)] = _covered(served[good, column], truth[good])
    return found


def _covered(served: NDArray[np.float64], truth: NDArray[np.float64]) -> list[float]:
    """Of `served` [origin, quantile], as the chain extrapolates it, at each level."""
    grid = np.broadcast_to(served.T, (L, len(QUANTILES), len(truth)))
    lead = np.full(len(truth), float(LEADS_MS[-1]))
    unsaid = np.full(len(truth), np.nan)
    return [
        float((truth <= between(grid, truth, unsaid, lead, np.full(len(truth), q))).mean()) for q in LEVELS
    ]


def rows(traces: Path, out: Path) -> Iterator[tuple[str, ...]]:
    yield "", "lead", *(f"{level:.3f}" for level in LEVELS)
    known = [read(path) for path in sorted(traces.glob("*.csv.gz"))]
    for target in TARGETS:
        mean = np.nanmean([coverages(trace, out, target) for trace in known], axis=0)
        for lead, ms in enumerate(LEADS_MS):
            yield target, f"{ms // 60_000}m", *(f"{value:.4f}" for value in mean[lead])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    sys.stdout.write("\n".join(_ROW.format(*row) for row in rows(args.traces, args.out)) + "\n")


if __name__ == "__main__":
    main()
