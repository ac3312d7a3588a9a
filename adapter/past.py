"""What the log has of the past: which workloads and signals, and one series as an array without holes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import HOUR_MS
from cme.core.errors import InvalidInput
from cme.core.identity import Workload
from cme.log.protocol import Log, Position
from cme.log.reading import batches_behind

T = TypeVar("T")


@dataclass(frozen=True)
class Hours:
    """Hourly means [hours], NaN where an hour has no value; `ends_ms` [hours] are the ends of the hours."""

    ends_ms: NDArray[np.int64]
    means: NDArray[np.float64]


class Names:
    """Every workload and signal that the log has ever had; a further question reads only what is new."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._position: Position = {}
        self._known: dict[int, tuple[Workload, str]] = {}  # by series

    def workload(self, name: str) -> tuple[Workload, dict[str, int]]:
        """The workload NAMESPACE/NAME or NAMESPACE/KIND/NAME, and by signal the ids of its series.

        KIND is `Deployment` or, with its group, `Deployment.apps`. Raises InvalidInput naming what there is.
        """
        known: dict[Workload, dict[str, int]] = {}
        for series, (workload, signal) in self._read().items():
            known.setdefault(workload, {})[signal] = series
        return _only([(one, "", (one, signals)) for one, signals in known.items()], name)

    def series(self, workload: str, signal: str) -> int:
        """The id of a signal of a workload, named as for `workload`. Raises InvalidInput naming what there is."""
        known = [(one, f" {its}", series) for series, (one, its) in self._read().items()]
        return _only(known, f"{workload} {signal}")

    def _read(self) -> Mapping[int, tuple[Workload, str]]:
        while (read := self._log.read(["series"], self._position)).batches:
            self._position = read.position
            for batch in read.batches:
                names = ("namespace", "group", "kind", "name", "signal")
                namespace, group, kind, name, signal = (batch.texts(column)[0] for column in names)
                self._known[int(batch.series[0])] = Workload(namespace, group, kind, name), signal
        return self._known


def _short(workload: Workload) -> str:
    return f"{workload.namespace}/{workload.name}"


def _names(workload: Workload) -> tuple[str, ...]:
    return _short(workload), f"{workload.namespace}/{workload.kind}/{workload.name}", str(workload)


def of_that_name(known: Sequence[tuple[Workload, T]], name: str, missing: str, there: str) -> T:
    """What is known of the workload NAMESPACE/NAME or NAMESPACE/KIND/NAME. Raises InvalidInput: it is `missing`, and
    what is `there`."""
    return _only([(workload, "", one) for workload, one in known], name, missing, there)


def _only(
    known: Sequence[tuple[Workload, str, T]],
    name: str,
    missing: str = "it is not in the log",
    there: str = "the log has",
) -> T:
    """The one that goes by that name, which is one of its workload's and an ending."""
    found = [
        (f"{workload}{ending}", one)
        for workload, ending, one in known
        if name in (f"{its}{ending}" for its in _names(workload))
    ]
    if len(found) == 1:
        return found[0][1]
    if found:
        kinds = ", ".join(sorted(full for full, _ in found))
        raise InvalidInput("there are several of different kinds", name, f"name one of {kinds}")
    names = ", ".join(sorted({f"{_short(workload)}{ending}" for workload, ending, _ in known}))
    raise InvalidInput(missing, name, f"{there}: {names or 'nothing'}")


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
