"""The past of one series, read from the log as an array without holes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import HOUR_MS
from cme.core.errors import InvalidInput
from cme.log.protocol import Log
from cme.log.reading import batches_behind


@dataclass(frozen=True)
class Hours:
    """Hourly means [hours], NaN where an hour has no value; `ends_ms` [hours] are the ends of the hours."""

    ends_ms: NDArray[np.int64]
    means: NDArray[np.float64]


def find_series(log: Log, workload: str, signal: str) -> int:
    """The id of a signal of the workload NAMESPACE/NAME. Raises InvalidInput naming what there is."""
    ids: dict[str, list[int]] = {}
    for batch in log.newest("series"):
        namespace, name, one = (batch.texts(column)[0] for column in ("namespace", "name", "signal"))
        ids.setdefault(f"{namespace}/{name} {one}", []).append(int(batch.series[0]))
    found = ids.get(f"{workload} {signal}", [])
    if len(found) == 1:
        return found[0]
    problem = "there are several of different kinds" if found else "it is not in the log"
    raise InvalidInput(problem, f"{workload} {signal}", f"the log has: {', '.join(sorted(ids)) or 'nothing'}")


def read_hours(log: Log, series: int, count: int) -> Hours:
    """The newest `count` hours of a series at most. Raises InvalidInput when it has none."""
    known: dict[int, float] = {}
    for batch in batches_behind(log, ["hours"], {}):
        for row in np.flatnonzero(batch.series == series):
            known[batch.time_ms] = float(batch.numbers("mean")[row])
    if not known:
        raise InvalidInput("the log has no whole hour of it", "series", "wait until one has passed")
    ends = np.arange(max(min(known), max(known) - (count - 1) * HOUR_MS), max(known) + 1, HOUR_MS)
    return Hours(ends, np.array([known.get(end, np.nan) for end in ends.tolist()]))
