"""What a start costs: python -m tests.bench.catch_up [--log embedded|kafka] [--series N] [--days D] [--refits R]

A log of N series by minutes is written first, in a folder or on a real broker. Then, without a checkpoint: seconds until
forecasts are served, and the time in which a quarter of a core relearns the past (from a sample of it, since all of it takes the
better part of an hour); with a checkpoint: seconds. The loss before and after is that of a few series that relearn all of their
past. Beside it refits by statsmodels of the same series, a sample of R extrapolated to all.
"""

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from cme.core.batch import Batch, series_ids
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Log
from cme.runtime.telemetry import PredictorTelemetry
from predictor.arrays import Floats
from predictor.fleet import Fleet
from predictor.grid import AT
from predictor.learner import HISTORY_MS, Learner
from predictor.presets import BEST
from predictor.relearning import Relearning
from tests.bench.catch_up_places import PLACES, Appends
from tests.bench.machine import load_average

LONGEST_DAYS = 33
START_MS = (time.time_ns() // 1_000_000 // DAY_MS - LONGEST_DAYS) * DAY_MS
"""So late that no broker removes what is of then."""
QUARTER = 4  # of a core: what relearning may take beside the beats
SAMPLED_S = 60.0  # of relearning
FEW = 20  # series whose loss is measured
LEAD, QUANTILE, LEVEL = 1, 2, 0.95  # 15 minutes, .95
LEAD_MINUTES = 15
MINUTES_AT_ONCE = 50
HALF_HOURS = 48  # of a day: with a season of 288 beats one fit of ETS takes minutes


def load(minute: int, series: int, rng: np.random.Generator) -> Floats:
    """A day's tide with a peak every half hour and noise, of a level and phase of its own for each series."""
    each = np.arange(series)
    tide = 1.2 + np.sin(2 * np.pi * minute / 1440 + each * 0.01) + 0.3 * (minute % 30 < 5)
    return np.asarray(100 * (1 + each % 7) * tide * rng.lognormal(0, 0.1, series), dtype=np.float32)


def minutes(series: int, first: int, count: int) -> Iterator[Batch]:
    rng, ids = np.random.default_rng(first), series_ids(list(range(1, series + 1)))
    for minute in range(first, first + count):
        values = load(minute, series, rng)
        count_ = np.full(series, 12, dtype=np.uint32)
        flags = np.zeros(series, dtype=np.uint8)
        columns = {
            "mean": values, "max": values * np.float32(1.1), "last": values, "count": count_, "flags": flags
        }  # fmt: skip
        yield Batch("minutes", START_MS + (minute + 1) * MINUTE_MS, ids, columns)


def written(log: Appends, series: int, days: int) -> int:
    """The end of the log's newest minute."""
    total = days * DAY_MS // MINUTE_MS
    for first in range(0, total, MINUTES_AT_ONCE):
        log.append(list(minutes(series, first, MINUTES_AT_ONCE)))
    return START_MS + total * MINUTE_MS


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds of this process and on the wall."""
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    return time.process_time() - cpu, time.perf_counter() - wall


def learner(folder: Path) -> Learner:
    return Learner(PredictorTelemetry(CollectorRegistry()), folder)


def start(log: Log, folder: Path, now_ms: int) -> tuple[Learner, str]:
    """Until the forecasts of all series are there."""
    one = learner(folder)

    def serve() -> None:
        one.restore(log, now_ms, lambda done, total: None)
        one.forecast()

    cpu, wall = timed(serve)
    return one, f"{cpu:.1f} s of a core, {wall:.1f} s on the wall"


def relearning(log: Log, now_ms: int) -> str:
    """From a sample of the past, longer than its first week, in which all is younger."""
    one, until = Relearning(log, now_ms - HISTORY_MS, {}, BEST), time.process_time() + SAMPLED_S
    began = time.process_time()
    while time.process_time() < until and not one.turn(now_ms):
        pass
    share = one.share(now_ms)
    hours = (time.process_time() - began) / share * QUARTER / 3600
    return f"{hours:.2f} h at a quarter of a core (from {share:.1%} of it)"


def losses(series: int, days: int) -> tuple[float, float]:
    """Mean pinball losses of .95 at 15 minutes over the next six hours, as shares of the load: after the seasons were
    taken in, and after all was relearned."""
    with tempfile.TemporaryDirectory() as name:
        log = EmbeddedLog.open(Path(name), writable=True)
        now_ms = written(log, series, days)
        primed = learner(Path(name))
        primed.restore(log, now_ms, lambda done, total: None)
        whole = Relearning(log, now_ms - HISTORY_MS, {}, BEST)
        while not whole.turn(now_ms):
            pass
        log.close()
        return loss(primed.fleet, series, days), loss(whole.fleet, series, days)


def loss(fleet: Fleet, series: int, days: int) -> float:
    first = days * DAY_MS // MINUTE_MS
    coming = list(minutes(series, first, 6 * HOUR_MS // MINUTE_MS))
    found = []
    for now, later in zip(coming, coming[LEAD_MINUTES:], strict=False):
        if fleet.learn(now):
            error = later.numbers("mean") - fleet.forecast()[1].values[AT, LEAD, QUANTILE]
            found.append(np.maximum(LEVEL * error, (LEVEL - 1) * error) / later.numbers("mean").mean())
    return float(np.mean(found))


def refits(count: int, days: int, series: int) -> list[str]:
    """Fits of a day's season by statsmodels to the half hours of some of the same series."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    past = np.array([load(30 * half, count, rng) for half in range(days * HALF_HOURS)], dtype=float)
    lines = []
    for name, fit in {"Holt-Winters": holt_winters, "ETS": ets}.items():
        began = time.process_time()
        for values in past.T:
            fit(values)
        each = (time.process_time() - began) / count
        lines.append(
            f"{name}: {each:.1f} s a series, {each * series / 3600:,.1f} h of a core for {series} series"
        )
    return lines


def holt_winters(values: NDArray[np.float64]) -> None:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    ExponentialSmoothing(values, seasonal="add", seasonal_periods=HALF_HOURS).fit()


def ets(values: NDArray[np.float64]) -> None:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    ETSModel(values, seasonal="add", seasonal_periods=HALF_HOURS).fit(disp=False)


def report(place: str, series: int, days: int, refitted: int) -> Iterator[str]:
    with PLACES[place]() as (folder, past, log):
        _, wall = timed(lambda: written(past, series, days))
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        yield f"{series} series x {days} days, {place}: {size / 1e9:.1f} GB, written in {wall:.0f} s; {load_average()}"
        now_ms = START_MS + days * DAY_MS
        one, seconds = start(log, folder, now_ms)
        yield f"without a checkpoint forecasts are served after {seconds}"
        yield f"all of the past is relearned in {relearning(log, now_ms)}"
        one.save()
        _, seconds = start(log, folder, now_ms)
        yield f"with a checkpoint forecasts are served after {seconds}"
    before, after = losses(min(FEW, series), days)
    yield f"pinball(.95) at 15 min, share of the load: {before:.4f} before, {after:.4f} after relearning"
    yield from refits(refitted, days, series)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", choices=PLACES, default="embedded")
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--days", type=int, choices=range(2, LONGEST_DAYS + 1), metavar="D", default=28)
    parser.add_argument("--refits", type=int, default=2)
    args = parser.parse_args()
    for line in report(args.log, args.series, args.days, args.refits):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
