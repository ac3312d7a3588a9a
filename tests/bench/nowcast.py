"""What the nowcast is worth, and what it costs: `python -m tests.bench.nowcast TRACES`.

On every trace of a folder with steps of a minute or less, from the third scored day on, every fifteen seconds: the pinball loss
of the .95 quantile of the largest sample within two minutes, as a ratio to what lies on the way from the last value to the
engine's five minutes; and how often it was covered. Then the processor time of a tick.
"""

import statistics
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from adapter.replay.forecasts import Forecasts, Series
from adapter.replay.learning import forecasts_of
from adapter.replay.nowcasts import TICK_MS, Looking
from cme.core.batch import series_ids
from cme.core.durations import DAY_MS, SECOND_MS
from cme.core.policy import SOON_MS
from cme.core.settings import Settings
from predictor.between import between
from predictor.grid import QUANTILES, L, Q
from predictor.nowcast.nowcast import Nowcast
from tests.bench.what_if import Scene, scene

LEVEL = 0.95
DAYS, WARM_DAYS = 7, 2
SERIES, TICKS = 30_000, 400


def row(one: Scene, said: Forecasts, series: Series, window_ms: int) -> tuple[float, list[float]]:
    """Loss as a ratio, and coverage by quantile."""
    times = np.arange(one.since_ms + WARM_DAYS * DAY_MS, one.until_ms - SOON_MS, TICK_MS)
    truth = Looking(series, said, window_ms).truth(times)
    told, raw = said.soon(times), one.load.mean(times, window_ms)[0]
    cells, same = said.largest[:, :, said.newest(times)].astype(float), np.ones(len(times))
    without = between(cells, raw, np.full(len(times), np.nan), SOON_MS * same, LEVEL * same)
    known = np.isfinite(truth + without + told[0])
    upper = told[QUANTILES.index(LEVEL)]
    ratio = _pinball((truth - upper)[known]) / _pinball((truth - without)[known])
    return ratio, (truth <= told)[:, known].mean(axis=1).tolist()


def _pinball(above: np.ndarray) -> float:
    return float(np.maximum(LEVEL * above, (LEVEL - 1) * above).mean())


def ticks_ms() -> np.ndarray:
    """Of each of some ticks of a large fleet."""
    draws, ids = np.random.default_rng(1), series_ids(list(range(1, SERIES + 1)))
    expected = 100 + 10 * np.arange(Q)[:, None] * np.ones((L, Q, SERIES))
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        nowcast = Nowcast(Path(folder))
        for tick in range(TICKS):
            loads = draws.normal(100, 5, SERIES)
            begun = time.process_time()
            nowcast.tell(5 * SECOND_MS * tick, ids, loads, loads, expected)
            spent.append(1000 * (time.process_time() - begun))
    return np.array(spent[1:])


@click.command()
@click.argument("traces", type=click.Path(path_type=Path, exists=True))
def main(traces: Path) -> None:
    """Print the table."""
    window_ms = Settings().rate_window
    scenes = [one for path in sorted(traces.glob("*.csv.gz")) if (one := scene(path, DAYS))]
    series = [Series(number, one.load, 0) for number, one in enumerate(scenes, 1)]
    said = forecasts_of(series, min(one.since_ms for one in scenes), {}, window_ms)
    ratios = []
    for one, its in zip(scenes, series, strict=True):
        ratio, covered = row(one, said[its.id], its, window_ms)
        ratios.append(ratio)
        print(
            f"{one.name:18s} loss {ratio:.3f}, covered {' '.join(f'{share:.3f}' for share in covered)}",
            flush=True,
        )
    print(f"geometric mean of the losses' ratios: {statistics.geometric_mean(ratios):.3f}")
    spent = ticks_ms()
    print(
        f"{SERIES} series: a tick {np.median(spent):.1f} ms of a core in the median, {spent.max():.0f} at most"
    )


if __name__ == "__main__":
    main()
