"""What a disturbance costs and for how long: python -m tests.bench.disturbances TRACES [--fast]

After two quiet weeks each series is disturbed in every way; the disturbed copies live beside the undisturbed one in an
engine. Losses are pinball(.95) of origins since the disturbance is over, all leads and targets, as ratios to those of the
undisturbed copy at the same times (for another level: in units of the level); geometric mean over the series. Recovered is
a series from the first hour on whose next six hours cost at most a fifth more.
"""

import argparse
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from predictor.arrays import Floats
from predictor.backtest.traces import Binned
from predictor.engine import Engine
from tests.bench.replayed import GRID, Doubles, beats_of, pinball, stepped, truths

QUIET, AFTER = 14 * GRID.day, 7 * GRID.day
HOURS = (0, 6, 24, 48, 168)
WINDOW_H, NEAR = 6, 1.2


class Disturbance(NamedTuple):
    """`change` turns a column [beat] into a disturbed one; it lasts `beats`, then the series is at `level`."""

    change: Callable[[Floats], Floats]
    beats: int = 0
    level: float = 1.0
    shift: int = 0  # beats by which what follows is later


def times(factor: float, beats: int | None = None) -> Callable[[Floats], Floats]:
    def change(x: Floats) -> Floats:
        y = x.copy()
        y[QUIET : None if beats is None else QUIET + beats] *= factor
        return y

    return change


def thinned(x: Floats) -> Floats:
    """Every other beat is seen."""
    y = x.copy()
    y[QUIET::2] = np.nan
    return y


def jumped(x: Floats) -> Floats:
    """The clock is set forward by an hour: an hour without samples, and everything is an hour later."""
    return np.concatenate([x[:QUIET], np.full(GRID.hour, np.nan, np.float32), x[QUIET : -GRID.hour]])


DAY, WEEK = GRID.day, 7 * GRID.day
DISTURBANCES = {
    "level x 3": Disturbance(times(3), level=3),
    "level / 3": Disturbance(times(1 / 3), level=1 / 3),
    "a day of NaN": Disturbance(times(np.nan, DAY), DAY),
    "a week's outage": Disturbance(times(np.nan, WEEK), WEEK),
    "a doubled step": Disturbance(thinned),
    "clock an hour on": Disturbance(jumped, GRID.hour, shift=GRID.hour),
    "one spike x 10": Disturbance(times(10, 1), 1),
}


def disturbed(series: Binned, change: Callable[[Floats], Floats]) -> Binned:
    return Binned(*(change(x) for x in (series.last, series.mean, series.largest)))


def tides(count: int) -> dict[str, Binned]:
    """A day's wave with noise, the next one noisier."""
    random, beats = np.random.default_rng(5), QUIET + WEEK + AFTER + GRID.longest
    wave = 1 + 0.6 * np.sin(2 * np.pi * np.arange(beats) / GRID.day)
    made = {}
    for number in range(count):
        noisy = (100 * wave * random.lognormal(0, 0.03 * (number + 1), beats)).astype(np.float32)
        made[f"tide {number}"] = Binned(noisy, noisy, noisy * np.float32(1.05))
    return made


def lost(served: Floats, series: Binned) -> Doubles:
    """Mean over the cells of losses in units of the cell's usual one: [beat]; NaN where nothing is known."""
    loss = pinball(truths(series, len(served)), served)
    return np.asarray(loss.reshape(len(served), -1))


def hourly(loss: Doubles, first: int) -> Doubles:
    """[hour, cell] since beat `first`."""
    rows = loss[first : first + AFTER]
    whole = len(rows) // GRID.hour
    return np.asarray(np.nanmean(rows[: whole * GRID.hour].reshape(whole, GRID.hour, -1), axis=1))


def ratio_between(ours: Doubles, theirs: Doubles, hours: slice) -> float:
    """Mean over the cells of losses in units of what the undisturbed one lost there within the week."""
    usual = np.nanmean(theirs, axis=0) + 1e-12
    return float(np.nanmean(ours[hours] / usual) / max(1e-9, np.nanmean(theirs[hours] / usual)))


def recovered(ours: Doubles, theirs: Doubles) -> int:
    """Hours; a week for never."""
    for hour in range(len(ours) - WINDOW_H):
        if ratio_between(ours, theirs, slice(hour, hour + WINDOW_H)) <= NEAR:
            return hour
    return HOURS[-1]


def measured(series: dict[str, Binned]) -> tuple[dict[str, Doubles], list[str]]:
    """Of each disturbance [series, (ratio per span..., hours to recover)]."""
    copies = [disturbed(one, d.change) for one in series.values() for d in DISTURBANCES.values()]
    everyone = [*series.values(), *copies]
    stop = min(QUIET + WEEK + AFTER, max(len(one.last) for one in everyone))
    served = stepped(Engine(), everyone, [0] * len(everyone), 0, stop)
    losses = [lost(served[..., i], one) for i, one in enumerate(everyone)]
    found: dict[str, list[list[float]]] = {name: [] for name in DISTURBANCES}
    for number in range(len(series)):
        for i, (name, d) in enumerate(DISTURBANCES.items()):
            own = losses[len(series) + number * len(DISTURBANCES) + i] / d.level
            first = QUIET + d.beats
            ours, theirs = hourly(own, first), hourly(losses[number], first - d.shift)
            spans = [ratio_between(ours, theirs, slice(a, b)) for a, b in pairwise(HOURS)]
            found[name].append([*spans, recovered(ours, theirs)])
    return {name: np.array(rows) for name, rows in found.items()}, list(series)


def report(found: dict[str, Doubles], names: list[str]) -> list[str]:
    spans = "".join(f"{f'{a}-{b} h':>10s}" for a, b in pairwise(HOURS))
    lines = [f"{'loss to undisturbed':20s}{spans}   recovered after hours: median, 90 %, worst"]
    for name, rows in found.items():
        means = np.exp(np.nanmean(np.log(rows[:, :-1]), axis=0))
        hours = rows[:, -1]
        text = f"{np.median(hours):8.0f}{np.quantile(hours, 0.9):8.0f}{hours.max():8.0f}"
        lines.append(
            f"{name:20s}" + "".join(f"{m:10.2f}" for m in means) + text + f" {names[hours.argmax()]}"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path)
    parser.add_argument("--fast", action="store_true", help="every third trace only")
    args = parser.parse_args()
    whole = QUIET + WEEK + AFTER
    real = {name: one for name, one in beats_of(args.traces).items() if len(one.last) >= whole - DAY}
    series = dict(list(real.items())[:: 3 if args.fast else 1]) | tides(2 if args.fast else 4)
    sys.stdout.write("\n".join(report(*measured(series))) + "\n")


if __name__ == "__main__":
    main()
