"""How much of the time forecasts are trusted, and whether rightly: python -m tests.bench.trust TRACES

Replays a folder of traces and looks every hour, from the third day of a series on. `next day` is what the forecast was
worth in the day after the look: its pinball loss as a ratio to that of the opponent, the last value with its own
conformal quantile, geometric mean over looks. A verdict is right when that is higher where it says no.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cme.core.distrust import Cause, unpacked
from predictor.backtest.reading import read
from predictor.backtest.replay import Group, grouped, replay
from predictor.grid import BEAT_MS, LEADS_MS, TARGETS, L, T
from predictor.presets import BEST

_LOOK = 12  # ticks of five minutes
_FIRST_DAYS = 2
_ROW = "{:3s} {:>5s}" + "{:>10s}" * 7

Looks = NDArray[np.float64]
"""[look, (causes, loss ratio, over ratio, coverage), cell, series]; NaN where there is nothing to look at."""


def look(group: Group, beat: int) -> Looks:
    """[4, cell, series] of the moment."""
    day, distrust = group.engine.compared()
    with np.errstate(divide="ignore", invalid="ignore"):
        told = [day.loss / day.baseline_loss, day.over / day.baseline_over, day.covered / day.count]
    found = np.array([unpacked(distrust, L * T), *told], dtype=float)
    lives = np.array([beat < len(b.last) for b in group.bins])
    young = beat < _FIRST_DAYS * group.engine.grid.day
    found[:, day.count == 0] = np.nan
    found[:, :, ~lives | young] = np.nan
    return found


def looks(folder: Path) -> Looks:
    groups = grouped([read(path) for path in sorted(folder.glob("*.csv.gz"))], BEST)
    seen: list[list[Looks]] = []

    def watch(tick: int, total: int) -> None:
        if tick % _LOOK == 0:
            seen.append([look(g, (tick - 1) * BEAT_MS // g.engine.grid.beat_ms) for g in groups])
        if tick % 1000 == 0:
            sys.stderr.write(f"\r{tick} of {total}")

    replay(groups, watch)
    return np.array([np.concatenate(parts, axis=-1) for parts in seen])


def rows(found: Looks) -> Iterator[Sequence[str]]:
    yield "", "lead", "trusted", "loss", "over", "coverage", "of series", "trusted", "not"
    for target, name in enumerate(TARGETS):
        for lead, ms in enumerate(LEADS_MS):
            yield name, f"{ms // 60_000}m", *_figures(found[:, :, T * lead + target])


def _figures(cell: Looks) -> Iterator[str]:
    """`cell` [look, 4, series]."""
    seen = np.isfinite(cell[:, 0])
    causes = np.where(seen, cell[:, 0], 0).astype(int)
    yield f"{(causes[seen] == 0).mean():.1%}"
    for cause in (Cause.LOSS, Cause.OVER, Cause.COVERAGE):
        yield f"{((causes[seen] & cause) > 0).mean():.1%}"
    yield f"{((causes > 0) & seen).any(axis=0).sum()}/{seen.any(axis=0).sum()}"
    later, now = cell[24:, 1], causes[:-24]
    comparable = seen[:-24] & np.isfinite(later) & (later > 0)
    for where in (now == 0, now > 0):
        ratios = later[comparable & where]
        yield f"{np.exp(np.log(ratios).mean()):.3f}" if len(ratios) else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path)
    found = looks(parser.parse_args().traces)
    head = "share of time trusted | not, because of loss, over-provision, coverage | series ever untrusted | next day's loss"
    sys.stdout.write("\n".join([head, *(_ROW.format(*row) for row in rows(found))]) + "\n")


if __name__ == "__main__":
    main()
