"""The opponent that trust is measured by, against the exact one: python -m tests.bench.baseline TRACES

Pinball loss of last value + tracked .95 quantile as a ratio to last value + conformal quantile of a rolling week, geometric mean
over the traces, with the least and the largest; and the mean coverage of both.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from predictor.arrays import Arrays
from predictor.backtest.reading import read
from predictor.backtest.traces import Binned, binned
from predictor.backtest.truths import truth_of
from predictor.grid import LEADS_MS, TARGETS, Grid, T
from predictor.trust.baseline import LEVEL, Baseline
from tests.rolling import Doubles, pinball, rolling_quantile

_ROW = "{:3s} {:>5s}" + "{:>9s}" * 5


class Compared(NamedTuple):
    ratio: float
    tracked: float  # coverage
    exact: float


def tracked(errors: Doubles, cell: int, grid: Grid) -> Doubles:
    """What the baseline lies above the last value after each error of a cell."""
    arrays = Arrays()
    baseline = Baseline(arrays, grid.strides, grid.day)
    arrays.grow(1)
    found, nothing = np.empty(len(errors)), np.zeros(1, dtype=np.float32)
    for i, error in enumerate(errors):
        one = np.full((1, 1), error, dtype=np.float32)
        baseline.learn(slice(cell, cell + 1), one, np.isfinite(one))
        found[i] = baseline.quantile(nothing)[cell, 0]
    return found


def compared(bins: Binned, cell: int, grid: Grid) -> Compared:
    """On the second half of a trace, at the origins that the cell learns from."""
    horizon = grid.horizons[cell // T]
    lead, stride = horizon.beats, horizon.origins.stride
    loads = (bins.last, bins.largest)[cell % T].astype(float)
    origins = np.array([i for i in range(len(loads) - lead) if horizon.origins.hold(i)])
    errors = truth_of(TARGETS[cell % T], loads, origins, lead) - bins.last[origins]
    errors = errors[np.isfinite(errors)]
    delay, half = int(np.ceil(lead / stride)), len(errors) // 2
    truth = errors[half + delay :]
    ours = tracked(errors, cell, grid)[half:-delay]
    exact = rolling_quantile(errors, float(LEVEL), int(7 * grid.day / stride))[half:-delay]
    ratio = (pinball(truth - ours, 0.95) + 1e-12) / (pinball(truth - exact, 0.95) + 1e-12)
    return Compared(ratio, float((truth <= ours).mean()), float((truth <= exact).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path)
    found: dict[tuple[int, int], list[Compared]] = {}
    for path in sorted(parser.parse_args().traces.glob("*.csv.gz")):
        trace = read(path)
        bins, grid = binned(trace), Grid(trace.beat_ms)
        for cell in range(grid.cells):
            one = compared(bins, cell, grid)
            found.setdefault((cell % T, grid.leads[cell // T]), []).append(one)
    rows: list[tuple[str, ...]] = [("", "lead", "loss", "least", "largest", "covered", "exact")]
    for (target, lead), cell_ in sorted(found.items()):
        ratios, ours, exact = np.array(cell_).T
        figures = (np.exp(np.log(ratios).mean()), ratios.min(), ratios.max(), ours.mean(), exact.mean())
        rows.append((TARGETS[target], f"{LEADS_MS[lead] // 60_000}m", *(f"{v:.3f}" for v in figures)))
    sys.stdout.write("\n".join(_ROW.format(*row) for row in rows) + "\n")


if __name__ == "__main__":
    main()
