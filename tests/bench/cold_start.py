"""How good forecasts of a young series are: python -m tests.bench.cold_start TRACES [--fast] [--alone]

Half of the traces have lived for ten days when the others, which the pool has never seen, join them; then the other way
round. Losses are pinball(.95) of origins by the series' age, as ratios to the last value with the conformal quantile
of its own errors; geometric mean over the series and leads. With --alone each series is the only one of its engine.
"""

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from predictor.arrays import Floats
from predictor.backtest.traces import Binned
from predictor.engine import Engine
from predictor.grid import LEADS_MS, TARGETS
from tests.bench.replayed import GRID, Doubles, beats_of, conformal, pinball, ratio, stepped, truths

MATURE_DAYS = 10
AGES_H = (0, 1, 3, 12, 24, 72, 168)
BEATS = AGES_H[-1] * GRID.hour


def joined(names: list[str], series: dict[str, Binned]) -> dict[str, Floats]:
    """Forecasts of the named series [beat, T, L], which join all others when those are mature."""
    fleet = [one for name, one in series.items() if name not in names]
    engine, mature = Engine(), MATURE_DAYS * GRID.day if fleet else 0
    stepped(engine, fleet, [0] * len(fleet), 0, mature)
    everyone = [*fleet, *(series[name] for name in names)]
    starts = [0] * len(fleet) + [mature] * len(names)
    made = stepped(engine, everyone, starts, mature, mature + BEATS)
    return {name: made[..., len(fleet) + i] for i, name in enumerate(names)}


def forecasts(series: dict[str, Binned], alone: bool) -> dict[str, Floats]:
    names = list(series)
    if alone:
        return {name: joined([name], {name: series[name]})[name] for name in names}
    return joined(names[::2], series) | joined(names[1::2], series)


def losses(served: Floats, series: Binned) -> Doubles:
    """[(ours, conformal, last), beat, T, L]"""
    truth = truths(series, BEATS)
    now = series.last[:BEATS, None, None]
    return np.stack([pinball(truth, made) for made in (served, conformal(series, truth), now)])


def ratios(lost: Doubles, level: float) -> Doubles:
    """[(ours, last) to the conformal last value, age, T, L]"""
    found = np.empty((2, len(AGES_H) - 1, *lost.shape[2:]))
    for age, target, lead in np.ndindex(*found.shape[1:]):
        beats = slice(AGES_H[age] * GRID.hour, AGES_H[age + 1] * GRID.hour)
        ours, conformal_, last = lost[:, beats, target, lead]
        found[:, age, target, lead] = ratio(ours, conformal_, level), ratio(last, conformal_, level)
    return found


def report(names: list[str], found: Doubles) -> list[str]:
    """`found` [series, (ours, last), age, T, L]"""
    ages = [f"{a}-{b} h" for a, b in pairwise(AGES_H)]
    lines = [f"{'age':26s}" + "".join(f"{age:>11s}" for age in ages)]
    for target, named in enumerate(TARGETS):
        for lead, ms in enumerate(LEADS_MS):
            row = np.exp(np.nanmean(np.log(found[:, 0, :, target, lead]), axis=0))
            lines.append(f"{named:4s}{ms // 60_000:4d} min          " + _row(row))
    lines.append(f"{'all':26s}" + _row(np.exp(np.nanmean(np.log(found[:, 0]), axis=(0, 2, 3)))))
    lines.append(
        f"{'the raw last value':26s}" + _row(np.exp(np.nanmean(np.log(found[:, 1]), axis=(0, 2, 3))))
    )
    by_series = np.exp(np.nanmean(np.log(found[:, 0]), axis=(2, 3)))
    lines.append(f"{'worst series':26s}" + _row(np.nanmax(by_series, axis=0)))
    worst = [names[i] for i in np.nanargmax(by_series, axis=0)]
    return [*lines, "worst: " + ", ".join(worst)]


def _row(values: Doubles) -> str:
    return "".join(f"{value:11.3f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path)
    parser.add_argument("--fast", action="store_true", help="every third trace only")
    parser.add_argument("--alone", action="store_true", help="each series in an engine of its own")
    args = parser.parse_args()
    series = beats_of(args.traces, 3 if args.fast else 1)
    found = []
    for name, served in (made := forecasts(series, args.alone)).items():
        lost = losses(served, series[name])
        found.append(ratios(lost, float(np.nanmean(series[name].mean[:BEATS]))))
    sys.stdout.write("\n".join(report(list(made), np.array(found))) + "\n")


if __name__ == "__main__":
    main()
