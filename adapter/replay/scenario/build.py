"""A scenario of its statements: files are read, times looked up, loads drawn, and all held against the policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import TypeAdapter, ValidationError

from adapter.hpa.controller import Controller
from adapter.replay.cluster import Site, Startup
from adapter.replay.contender import Autoscaler, Contender, autoscaler_of, following
from adapter.replay.load import Load
from adapter.replay.scenario.clock import When, ms_of
from adapter.replay.scenario.documents import hpa_of, policy_of
from adapter.replay.scenario.drawing import STEP_MS, drawn, middles
from adapter.replay.scenario.expectation import READY, REPLICAS, Expectation, Total
from adapter.replay.scenario.figures import CORES_SAVED
from adapter.replay.scenario.given import Given
from adapter.replay.scenario.grammar import MOST_REPLICAS, statements_of
from adapter.replay.scenario.lines import Line, Problems, lines_of, read_text, refused
from adapter.replay.scenario.scenario import Expected, Scenario
from adapter.replay.scenario.statements import (
    Beginning,
    Carrying,
    Failing,
    History,
    HpaOf,
    Kubernetes,
    LoadOf,
    NodesOf,
    Other,
    PolicyOf,
    Sized,
    Span,
    Starting,
    Zone,
)
from adapter.replay.simulate import SYNC_MS
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.policy import ScalingPolicy
from cme.core.policy_fields import Zone as ZoneName
from cme.core.settings import Settings

MOST_DAYS = 31
"""That a scenario runs."""
_BEFORE_MS = HOUR_MS
"""So long before its start there is load, for what is measured is a mean over some time before."""


def read_scenario(path: Path) -> Scenario:
    """Raises BrokenScenario with all that is wrong."""
    file = str(path)
    return _Building(Given(statements_of(lines_of(read_text(path), file)), file), Problems()).scenario()


@dataclass(frozen=True)
class _Frame:
    """What the other statements are held against."""

    policy: ScalingPolicy
    settings: Settings
    start: datetime
    since_ms: int
    until_ms: int

    @property
    def zone(self) -> ZoneInfo:
        assert isinstance(self.start.tzinfo, ZoneInfo)
        return self.start.tzinfo

    @property
    def rates(self) -> dict[str, float]:
        """perReplica of the signals that are no backlog."""
        return {one.name: one.per_replica for one in self.policy.spec.signals if one.drain is None}

    def rate(self, signal: str) -> str:
        """The name of a signal that is no backlog. Raises InvalidInput."""
        if signal in self.rates:
            return signal
        there = ", ".join(self.rates)
        if signal in {one.name for one in self.policy.spec.signals}:
            raise refused(
                f"{signal} is a backlog, which depends on what runs", f"say it of what arrives: {there}"
            )
        raise refused(f"the policy has no signal {signal!r}", f"it has {there}")

    def moment(self, when: When) -> int:
        """Raises InvalidInput for a time that is none, or outside of the run."""
        found = ms_of(when.after(self.start))
        if not self.since_ms <= found <= self.until_ms:
            raise refused(f"{when.text} is not within the run", "write a time of it, or let it run longer")
        return found

    def span(self, since: When, until: When) -> tuple[int, int]:
        """Raises InvalidInput."""
        first, last = self.moment(since), self.moment(until)
        if last - first < SYNC_MS:
            raise refused(
                f"{until.text} is not 15 s behind {since.text}, the time between two looks of the HPA",
                "write the earlier time first, and dates",
            )
        return first, last


@dataclass(frozen=True)
class _Building:
    given: Given
    problems: Problems

    def scenario(self) -> Scenario:
        """Raises BrokenScenario."""
        frame = self._frame()
        autoscaler = self._autoscaler(frame.policy)
        history = self.given.one(History, History(0))
        came, seen = self._loads(frame, frame.since_ms - max(history.days * DAY_MS, _BEFORE_MS))
        carries = self._carries(frame)
        expectations, totals = self._expectations(frame), self._totals()
        self.problems.stop()
        assert autoscaler is not None
        begins = [one.replicas for _, one in self.given.all(Beginning)]
        return Scenario(
            contender=Contender("tidecast", "", frame.policy, autoscaler, *begins),
            settings=frame.settings,
            zone=frame.zone,
            since_ms=frame.since_ms,
            until_ms=frame.until_ms,
            came=came,
            seen=seen,
            rows={signal: row for row, signal in enumerate(frame.rates)},
            carries=carries,
            learns=history.days > 0,
            site=self._site(),
            cores=next((one.cores for _, one in self.given.all(Sized)), None),
            expectations=expectations,
            totals=totals,
        )

    def _frame(self) -> _Frame:
        ((policy_line, asked),) = self.given.all(PolicyOf)
        ((span_line, span),) = self.given.all(Span)
        with self.problems.of(policy_line):
            policy, settings = policy_of(policy_line, asked)
        self.problems.stop()
        zone = ZoneInfo(policy.spec.time_zone)
        for line, one in self.given.all(Zone):
            with self.problems.of(line):
                zone = _zone(one.name)
        with self.problems.of(span_line):
            start, end = _run(span, zone)
        self.problems.stop()
        return _Frame(policy, settings, start, ms_of(start), ms_of(end))

    def _autoscaler(self, policy: ScalingPolicy) -> Autoscaler | None:
        controller, found = Controller(), None
        for line, asked in self.given.all(Kubernetes):
            with self.problems.of(line):
                controller = Controller(asked.version, dict.fromkeys(asked.gates, True))
        for line, one in self.given.all(HpaOf):
            with self.problems.of(line):
                found = _bounded(autoscaler_of(hpa_of(line, one, policy), policy, controller))
        if not self.given.all(HpaOf):
            ((line, _),) = self.given.all(PolicyOf)
            with self.problems.of(line):
                found = _bounded(following(policy, controller))
        return found

    def _loads(self, frame: _Frame, since_ms: int) -> tuple[Load, Load]:
        """As it was, and as it was measured, since then."""
        times = middles(since_ms, frame.until_ms)
        rows = {signal: row for row, signal in enumerate(frame.rates)}
        came = np.zeros((len(rows), len(times)))
        shapes = self.given.all(LoadOf)
        for line, one in shapes:
            with self.problems.of(line):
                row = rows[frame.rate(one.signal)]
                _playable(one.shape.most, frame.rates[one.signal])
                came[row] = drawn(one.shape, one.signal, times, frame.zone.key)
        self._all_given(rows, {one.signal for _, one in shapes})
        for line, other in self.given.all(Other):
            with self.problems.of(line):
                row = rows[frame.rate(other.signal)]
                _playable(other.value, frame.rates[other.signal])
                first, last = frame.span(other.since, other.until)
                came[row, (times >= first) & (times < last)] = other.value
        seen = came.copy()
        for line, failing in self.given.all(Failing):
            with self.problems.of(line):
                first, last = frame.span(failing.since, failing.until)
                for signal in self._measured(frame, failing.signal):
                    seen[rows[signal], (times >= first) & (times < last)] = np.nan
        return Load(since_ms, STEP_MS, came), Load(since_ms, STEP_MS, seen)

    def _all_given(self, rows: Mapping[str, int], given: set[str]) -> None:
        ((line, _),) = self.given.all(PolicyOf)
        for missing in sorted(set(rows) - given):
            self.problems.append(
                line.problem(f"there is no load of its signal {missing}; write as in: load {missing}: 500")
            )

    def _measured(self, frame: _Frame, signal: str | None) -> list[str]:
        """Signals that are not known for a time. Raises InvalidInput."""
        arrivals = {one.drain.arrivals for one in frame.policy.spec.signals if one.drain}
        found = list(frame.rates) if signal is None else [frame.rate(signal)]
        for one in arrivals & set(found):
            raise refused(
                f"{one} arrives in a backlog, which the model counts by it", "let another signal fail"
            )
        return found

    def _carries(self, frame: _Frame) -> dict[str, float]:
        carries = frame.rates
        for line, one in self.given.all(Carrying):
            with self.problems.of(line):
                if not one.amount:
                    raise refused("a pod that carries nothing is none", "write more than 0")
                carries[frame.rate(one.signal)] = one.amount
        return carries

    def _site(self) -> Site:
        nodes = next((one.nodes for _, one in self.given.all(NodesOf)), None)
        return Site(Startup(self.given.one(Starting, Starting(MINUTE_MS)).within_ms), nodes)

    def _expectations(self, frame: _Frame) -> tuple[Expected, ...]:
        found = []
        for line, one in self.given.all(Expectation):
            with self.problems.of(line):
                found.append(_expected(line, one, frame))
        return tuple(found)

    def _totals(self) -> tuple[tuple[Line, Total], ...]:
        totals = self.given.all(Total)
        for line, one in totals:
            if one.figure == CORES_SAVED and not self.given.all(Sized):
                self.problems.append(
                    line.problem("a pod's cores are not told; write as in: pods have 4 cores")
                )
        return tuple(totals)


def _expected(line: Line, one: Expectation, frame: _Frame) -> Expected:
    unit = {"replica": REPLICAS, "ready pod": READY}.get(one.unit, one.unit)
    units = [REPLICAS, READY, *(signal.name for signal in frame.policy.spec.signals)]
    if unit not in units:
        raise refused(f"there is no number of {unit!r}", f"write one of {', '.join(units)}")
    if one.until is None:
        return Expected(line, frame.moment(one.since), None, one.bound, unit, one.because)
    return Expected(line, *frame.span(one.since, one.until), one.bound, unit, one.because)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(TypeAdapter(ZoneName).validate_python(name))
    except ValidationError:
        raise refused(f"{name!r} is no IANA time zone", "write one like Europe/Berlin") from None


def _run(span: Span, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Raises InvalidInput."""
    since, until = span.since, span.until
    if since.dated is None:
        raise refused(f"{since.text} has no date", "write as in: run from 2026-03-02 06:00 to 23:00")
    start = since.on(since.dated, zone)
    end = until.after(start)
    if not 0 < ms_of(end) - ms_of(start) <= MOST_DAYS * DAY_MS:
        raise refused(
            f"from {since.text} to {until.text} is not a run", f"it may last up to {MOST_DAYS} days"
        )
    return start, end


def _bounded(autoscaler: Autoscaler) -> Autoscaler:
    if autoscaler.spec.max_replicas > MOST_REPLICAS:
        raise refused(
            f"the HPA's maxReplicas is {autoscaler.spec.max_replicas}",
            f"set at most {MOST_REPLICAS} to play it",
        )
    return autoscaler


def _playable(load: float, per_replica: float) -> None:
    if load / per_replica > MOST_REPLICAS:
        raise refused(f"a load of {load:g} calls for more than {MOST_REPLICAS} replicas", "write less")
