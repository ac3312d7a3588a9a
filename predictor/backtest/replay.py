"""All traces stepped together, aligned by the time since their start: beat n of each is seen at the same moment.

A pooled fit therefore sees of every series only what lies before the origin. The engine is stepped in one process
whatever the number of jobs, so that jobs change the speed of reading and writing and not a byte of the result.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cme.core.errors import InvalidInput
from cme.core.progress import Progress, silent
from predictor.arrays import Floats
from predictor.backtest.reading import read
from predictor.backtest.traces import Binned, Trace, binned
from predictor.engine import Engine
from predictor.grid import BEAT_MS, LEADS_MS, QUANTILES, Grid
from predictor.history import Bin
from predictor.pool import Pool
from predictor.presets import BEST, Preset


@dataclass
class Group:
    """The traces of one beat length; row n of the engine is trace n."""

    engine: Engine
    traces: list[Trace]
    bins: list[Binned]
    served: list[Floats]  # of each trace [beat, target, lead, quantile]

    def step(self, beat: int) -> None:
        alive = [beat < len(b.last) for b in self.bins]
        columns = (
            [getattr(b, n)[beat] if a else np.nan for b, a in zip(self.bins, alive, strict=True)]
            for n in _NAMES
        )
        seen = Bin(*(np.array(column, dtype=np.float32) for column in columns))
        values = self.engine.step(beat, seen).values
        for row, lives in enumerate(alive):
            if lives:
                self.served[row][beat] = values[..., row]

    @property
    def beats(self) -> int:
        return max(len(b.last) for b in self.bins)


_NAMES = ("last", "mean", "largest")


def run(
    traces_dir: Path,
    out_dir: Path,
    jobs: int = 1,
    progress: Progress = silent,
    preset: Preset = BEST,
) -> list[Trace]:
    """Replay every `<series>.csv.gz` of a folder and write `<series>.npz` with its forecasts.

    Raises InvalidInput for a folder without traces and for a file that is none.
    """
    paths = sorted(traces_dir.glob("*.csv.gz"))
    if not paths:
        raise InvalidInput("it holds no <series>.csv.gz", str(traces_dir), "name a folder of traces")
    out_dir.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs) as workers:
        traces = list(workers.map(read, paths))
        groups = grouped(traces, preset)
        replay(groups, progress)
        pairs = [pair for group in groups for pair in zip(group.traces, group.served, strict=True)]
        list(workers.map(partial(_write, out_dir), *zip(*pairs, strict=True)))
    return traces


def grouped(traces: Sequence[Trace], preset: Preset) -> list[Group]:
    """By beat, the shortest first; the engines share a pool and have seen nothing yet."""
    pool, groups = Pool(), []
    for beat_ms in sorted({t.beat_ms for t in traces}):
        own = [t for t in traces if t.beat_ms == beat_ms]
        engine = Engine(Grid(beat_ms), pool, preset)
        engine.rows(range(len(own)))
        bins = [binned(t) for t in own]
        shape = (2, len(LEADS_MS), len(QUANTILES))
        served = [np.full((len(b.last), *shape), np.nan, dtype=np.float32) for b in bins]
        groups.append(Group(engine, own, bins, served))
    return groups


def replay(groups: Sequence[Group], progress: Progress) -> None:
    """Step all groups together, to the end of the longest trace."""
    longest = max(group.beats * group.engine.grid.beat_ms for group in groups) // BEAT_MS
    for tick in range(longest):
        for group in groups:
            every = group.engine.grid.beat_ms // BEAT_MS
            beat = tick // every
            if tick % every == 0 and beat < group.beats:
                group.step(beat)
        progress(tick + 1, longest)


def _write(out_dir: Path, trace: Trace, served: Floats) -> None:
    leads = [LEADS_MS.index(lead * 1000) for lead in trace.leads_s]
    at_origins = served[trace.origin_beats][:, :, leads]
    # Of a load that nobody has seen yet there is no forecast; the format knows numbers only.
    at_origins[trace.origins < trace.known.min(initial=len(trace.values))] = 0
    np.savez(
        out_dir / f"{trace.name}.npz",
        origins=trace.times[trace.origins],
        leads_s=np.array(trace.leads_s, dtype=np.int64),
        quantiles=np.array(QUANTILES),
        at=at_origins[:, 0],
        max=at_origins[:, 1],
    )
