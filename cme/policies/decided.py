"""The newest decision of every workload, as the log has it."""

from dataclasses import dataclass

from cme.core.batch import Batch
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.log.protocol import Log, Position


@dataclass(frozen=True, slots=True)
class Decided:
    """Replicas (NaN: none may be served), the reasons of the workload's row and of each signal's."""

    time_ms: int
    replicas: float
    reasons: int
    signals: dict[str, int]

    @property
    def basis(self) -> object:
        """What is told of it depends on this alone."""
        return str(self.replicas), self.reasons, tuple(self.signals.items())


class Decisions:
    """A batch holds all workloads, so the newest one is enough."""

    def __init__(self, log: Log, stale_ms: int) -> None:
        self._log, self._stale_ms = log, stale_ms
        self._position: Position | None = None
        self._newest: Batch | None = None
        self._rows: dict[int, int] = {}

    def follow(self, now_ms: int) -> None:
        """Read on to the log's end. Raises LogFailed."""
        if self._position is None:
            self._position = self._log.position_at(["decisions"], now_ms - self._stale_ms)
        before = self._newest
        while (chunk := self._log.read(["decisions"], self._position, 100)).batches:
            self._position, self._newest = chunk.position, chunk.batches[-1]
        if self._newest is not None and self._newest is not before:
            self._rows = {series: row for row, series in enumerate(self._newest.series.tolist())}

    def of(self, policy: ScalingPolicy, now_ms: int) -> Decided | None:
        """None where there is no fresh one of the workload and all its signals."""
        batch = self._newest
        if batch is None or abs(now_ms - batch.time_ms) > self._stale_ms:
            return None
        rows = [self._rows.get(policy.series(signal).id) for signal in policy.spec.signals]
        row = self._rows.get(SeriesKey(policy.workload, "replicas").id)
        if row is None or None in rows:
            return None
        reasons = batch.numbers("reasons")
        signals = {
            s.name: int(reasons[at])
            for s, at in zip(policy.spec.signals, rows, strict=True)
            if at is not None
        }
        return Decided(batch.time_ms, float(batch.numbers("value")[row]), int(reasons[row]), signals)
