"""What the engine costs: python -m tests.bench.engine [--series N ...] [--hours H] [--warm BEATS] [--preset P]

One cycle is ingest, update and forecast of 5 leads x 4 quantiles x 2 targets for every series; refits are in it. The
first days, in which everything is younger, are not measured. Seconds are of this process, on one core.
"""

import argparse
import sys
import time
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Floats
from predictor.engine import Engine
from predictor.grid import BEATS_PER_DAY
from predictor.history import Bin
from predictor.presets import PRESETS


def loads(beat: int, series: int, rng: np.random.Generator) -> Floats:
    """A day's tide of its own level and phase for each series, with noise."""
    phase = np.arange(series) * 0.01
    level = 100 * (1 + np.arange(series) % 7)
    tide = 1 + 0.6 * np.sin(2 * np.pi * beat / BEATS_PER_DAY + phase)
    load: Floats = (level * tide * rng.normal(1, 0.05, series)).astype(np.float32)
    return load


def cycles(engine: Engine, first: int, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Seconds of each cycle."""
    seconds = np.empty(count)
    for i in range(count):
        x = loads(first + i, engine.series, rng)
        seen = Bin(x, x, x * np.float32(1.05))
        start = time.process_time()
        engine.step(first + i, seen)
        seconds[i] = time.process_time() - start
    return seconds


def state(engine: Engine) -> Counter[str]:
    """Bytes per series of each part."""
    parts: Counter[str] = Counter()
    for name, array in engine.save().items():
        if name.startswith("0/"):
            parts[name[2:].split(".")[0]] += array.nbytes // array.shape[-1]
    return parts


def report(series: int, warm: int, hours: float, preset: str) -> list[str]:
    engine, rng = Engine(preset=PRESETS[preset]), np.random.default_rng(0)
    engine.rows(range(series))
    cycles(engine, 0, warm, rng)
    seconds = cycles(engine, warm, int(hours * BEATS_PER_DAY / 24), rng)
    parts = state(engine)
    rate = series * len(seconds) / seconds.sum()
    return [
        f"{preset}, {series} series, {len(seconds)} cycles: {rate:,.0f} series/s, {1e6 / rate:.1f} us a series and beat",
        f"median cycle {np.median(seconds) * 1e3:.1f} ms, worst {seconds.max() / np.median(seconds):.2f} x median",
        f"state {sum(parts.values()):,} B a series: "
        + ", ".join(f"{n} {b:,}" for n, b in parts.most_common()),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--warm", type=int, default=8 * BEATS_PER_DAY, help="beats before measuring")
    parser.add_argument("--preset", choices=PRESETS, default="best")
    args = parser.parse_args()
    for series in args.series:
        sys.stdout.write("\n".join(report(series, args.warm, args.hours, args.preset)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
