"""Whether a number may be served, and if not, the sentence that says why.

A sentence stays the same while its cause does: the HPA writes it into an event, and equal events are one.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adapter.catalog import Entry
from adapter.metrics import REPLICAS_SCALING, REPLICAS_SCHEDULE, Form, metric_names, parse_metric
from adapter.pods import PodList, split
from adapter.running import RunningPods
from adapter.view import View
from cme.core.errors import InvalidInput, TidecastError
from cme.core.overrides import bounds_of
from cme.core.quantity import milli_from_float
from cme.core.readings import REPLICAS_STALE_MS
from cme.core.reasons import Reason
from cme.core.schedules import Told
from cme.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Served:
    """A number with the time of the measurement it rests on and the window that was averaged over."""

    milli: int
    timestamp_ms: int
    window_s: int


class NotServed(TidecastError):
    """There is no number to serve; `code` is the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Answers:
    """Metrics of entries, from the view and what the cluster says of pods."""

    def __init__(self, view: View, settings: Settings, running: RunningPods | None) -> None:
        """`running` is None without a cluster: no pod leaves then."""
        self._view, self._settings, self._running = view, settings, running

    def metric(self, entry: Entry, metric: str) -> Served:
        """The value of a metric. Raises NotServed: 404 when there is no such metric, 503 when no fresh value."""
        if metric == REPLICAS_SCHEDULE:
            return self._floor(entry)
        self.require_ready()
        if metric == REPLICAS_SCALING:
            return self._decided(entry, metric, entry.replicas_id)
        signal, form = parse_metric(metric)
        if signal not in entry.signals:
            known = ", ".join(metric_names(entry.signals))
            raise NotServed(404, f"{entry.workload} has no metric {metric}; it has {known}")
        if form is Form.RAW:
            return self._raw(entry, metric, signal)
        if form is Form.PREDICTED:
            return self._predicted(entry, metric, signal)
        if form is Form.SCALING:
            return self._decided(entry, metric, entry.signals[signal])
        return self._per_replica(entry, metric, signal)

    def shares(self, entry: Entry, metric: str) -> dict[str, Served]:
        """By pod an exact share of a metric's value; none when all its pods are leaving. Raises NotServed."""
        served = self.metric(entry, metric)
        parts = split(served.milli, self._staying(entry, metric))
        return {pod: replace(served, milli=milli) for pod, milli in parts.items()}

    def total(self, entries: Sequence[Entry], metric: str) -> Served:
        """The sum of a metric over workloads, as old as its oldest part. Raises NotServed when a part has no value."""
        parts = [self.metric(entry, metric) for entry in entries]
        oldest = min(part.timestamp_ms for part in parts)
        return Served(sum(part.milli for part in parts), oldest, self._window)

    def told(self, entry: Entry) -> Told:
        """What the cluster tells of a workload: what runs as long as that is fresh; the rest does not grow old so fast."""
        known, fresh = self._view.pods.get(entry.replicas_id), self._told_pods(entry)
        running = fresh.wanted if fresh else math.nan
        return Told(running, known.lead_ms, known.quota) if known else Told(running)

    def labels(self, entry: Entry, metric: str) -> Mapping[str, str]:
        """The workload's own labels, by which a metric's objects are selected. Raises NotServed while they are not known."""
        self.require_ready()
        told = self._told_pods(entry)
        if told is None or told.own_labels is None:
            raise NotServed(
                503,
                f"{metric} of {entry.workload}: its labels are not known; "
                f"does it exist, and may tidecast list {entry.resource}?",
            )
        labels: Mapping[str, str] = json.loads(told.own_labels)
        return labels

    def require_ready(self) -> None:
        """Raises NotServed while the log has not been read to its end."""
        if not self._view.ready:
            raise NotServed(503, "tidecast is starting and has not read its log yet; it answers in a moment")

    def _floor(self, entry: Entry) -> Served:
        """From the policy and the time, so that it holds when everything else has failed; what runs raises it only, unless
        the policy is paused."""
        now = self._view.clock.now_ms()
        floor = bounds_of(entry.policy, now, self.told(entry)).floor
        if math.isnan(floor):
            raise self._paused(entry, REPLICAS_SCHEDULE)
        return Served(round(floor * 1000), now, self._window)

    def _raw(self, entry: Entry, metric: str, signal: str) -> Served:
        samples, series = self._view.samples, entry.signals[signal]
        if not self._measured(series):
            raise NotServed(503, self._lacking(entry, metric, signal))
        return self._number(entry, metric, samples.get("value", series), samples.get("measured_ms", series))

    def _predicted(self, entry: Entry, metric: str, signal: str) -> Served:
        decisions, series = self._view.decisions, entry.signals[signal]
        value = decisions.get("predicted", series)
        if value != value:  # NaN
            raise NotServed(503, f"{metric} of {entry.workload}: there is no forecast of {signal} yet")
        if self._age(decisions.get("predicted_born", series)) > self._settings.forecast_stale_after:
            hint = self._hint(series)
            if self._measured(series):
                hint = "no new forecast comes; is the predictor running?"
            raise NotServed(503, f"{metric} of {entry.workload}: the forecast is stale; {hint}")
        return self._number(entry, metric, value, decisions.get("predicted_ms", series))

    def _decided(self, entry: Entry, metric: str, series: int) -> Served:
        decisions, limit = self._view.decisions, self._settings.signal_stale_ms
        value = decisions.get("value", series)
        known, decided = value == value, self._age(decisions.get("born", series)) <= limit
        if decided and known and self._age(decisions.get("raw_born", series)) <= limit:
            return self._number(entry, metric, value, decisions.get("raw_ms", series))
        if decided and decisions.get("reasons", series) & Reason.PAUSED:
            raise self._paused(entry, metric)
        signal = self._absent_signal(entry, series)
        if not decided or (known and self._measured(entry.signals[signal])):  # newer than what it rests on
            raise NotServed(
                503, f"{metric} of {entry.workload}: there is no fresh decision; is the predictor running?"
            )
        raise NotServed(503, self._lacking(entry, metric, signal))

    def _paused(self, entry: Entry, metric: str) -> NotServed:
        return NotServed(
            503,
            f"{metric} of {entry.workload}: it is paused, and what runs is not known; does the cluster answer tidecast?",
        )

    def _per_replica(self, entry: Entry, metric: str, signal: str) -> Served:
        ready = len(self._pods(entry, metric).names)
        raw = self._raw(entry, metric, signal)
        # Rounded down: times the replicas, a thousandth too much would ask for one replica more, for good.
        return Served(raw.milli // ready, raw.timestamp_ms, raw.window_s)

    def _staying(self, entry: Entry, metric: str) -> Sequence[str]:
        """The workload's pods that take load without those that have left since the log's list."""
        names = self._pods(entry, metric).names
        if self._running is None:
            return names
        staying = self._running.among(entry.workload.namespace, names)
        if staying is None:
            raise NotServed(
                503,
                f"{metric} of {entry.workload}: which of its pods are leaving is not known; "
                "may tidecast watch pods, and does the API server answer?",
            )
        return staying

    def _pods(self, entry: Entry, metric: str) -> PodList:
        """The workload's pods that take load; at least one."""
        pods = self._told_pods(entry)
        if pods is None:
            raise NotServed(
                503,
                f"{metric} of {entry.workload}: its pods are not known; does the cluster answer tidecast?",
            )
        if not pods.names:
            raise NotServed(503, f"{metric} of {entry.workload}: none of its pods is running and ready")
        return pods

    def _told_pods(self, entry: Entry) -> PodList | None:
        """The workload's pods, None if the cluster has not told them for too long."""
        pods = self._view.pods.get(entry.replicas_id)
        return pods if pods and self._age(pods.born) <= REPLICAS_STALE_MS else None

    def _absent_signal(self, entry: Entry, series: int) -> str:
        """The first signal that keeps a decision from being served: its own, or what arrives in a backlog."""
        own = {
            s.name for s in entry.policy.spec.signals if series in (entry.signals[s.name], entry.replicas_id)
        }
        drains = (s.drain for s in entry.policy.spec.signals if s.name in own)
        names = own | {drain.arrivals for drain in drains if drain is not None}
        decisions = self._view.decisions
        bad = int(Reason.MISSING | Reason.STALE)
        absent = [n for n in names if decisions.get("reasons", entry.signals[n]) & bad]
        return min(absent, default=min(own))

    def _lacking(self, entry: Entry, metric: str, signal: str) -> str:
        lacking = (
            f"{metric} of {entry.workload}: {signal} has no fresh value; {self._hint(entry.signals[signal])}"
        )
        pods = self._told_pods(entry)
        if pods and not pods.names:
            lacking += (
                "; none of its pods is running and ready, and what is measured at pods does not exist then"
            )
        return lacking

    def _measured(self, series: int) -> bool:
        """Whether there is a measurement that is fresh enough."""
        return self._age(self._view.samples.get("born", series)) <= self._settings.signal_stale_ms

    def _hint(self, series: int) -> str:
        problem = self._view.samples.get("problem", series)
        return problem or "no new sample comes; is the collector running?"

    def _number(self, entry: Entry, metric: str, value: float, timestamp_ms: int) -> Served:
        try:
            return Served(milli_from_float(value), timestamp_ms, self._window)
        except InvalidInput as error:
            why = f"its value can't be served; {error.remedy}"
            raise NotServed(503, f"{metric} of {entry.workload}: {why}") from None

    def _age(self, born: int) -> int:
        return self._view.clock.monotonic_ms() - born

    @property
    def _window(self) -> int:
        return self._settings.rate_window // 1000
