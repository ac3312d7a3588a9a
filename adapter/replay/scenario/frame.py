"""Policy, zone and time of a scenario: what its other statements are held against."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from adapter.replay.scenario.clock import When, ms_of
from adapter.replay.scenario.documents import policy_of
from adapter.replay.scenario.given import Given
from adapter.replay.scenario.lines import Problems, refused
from adapter.replay.scenario.statements import PolicyOf, Span, Zone
from adapter.replay.simulate import SYNC_MS
from cme.core.durations import DAY_MS
from cme.core.policy import ScalingPolicy
from cme.core.policy_fields import Zone as ZoneName
from cme.core.settings import Settings

MOST_DAYS = 31
"""That a scenario runs."""


@dataclass(frozen=True)
class Frame:
    policy: ScalingPolicy
    settings: Settings
    zone: ZoneInfo
    start: datetime
    end: datetime

    @property
    def since_ms(self) -> int:
        return ms_of(self.start)

    @property
    def until_ms(self) -> int:
        return ms_of(self.end)

    @property
    def rates(self) -> dict[str, float]:
        """perReplica of the signals that are no backlog."""
        return {one.name: one.per_replica for one in self.policy.spec.rates}

    @property
    def rows(self) -> dict[str, int]:
        """Of the same signals in the loads."""
        return {signal: row for row, signal in enumerate(self.rates)}

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
        found = when.after(self.start, self.zone)
        if not self.since_ms <= ms_of(found) <= self.until_ms:
            raise refused(f"{when.text} is not within the run", "write a time of it, or let it run longer")
        return ms_of(found)

    def span(self, since: When, until: When) -> tuple[int, int]:
        """In which the HPA looks at least once. Raises InvalidInput."""
        first, last = self.moment(since), self.moment(until)
        if last - first < SYNC_MS:
            raise refused(
                f"{until.text} is not 15 s behind {since.text}, the time between two looks of the HPA",
                "write the earlier time first, and dates",
            )
        return first, last


def frame_of(given: Given, problems: Problems) -> Frame:
    """Raises BrokenScenario: without it nothing else can be told."""
    ((policy_line, asked),) = given.all(PolicyOf)
    ((span_line, span),) = given.all(Span)
    with problems.of(policy_line):
        policy, settings = policy_of(policy_line, asked)
    problems.stop()
    zone = ZoneInfo(policy.spec.time_zone)
    for line, one in given.all(Zone):
        with problems.of(line):
            zone = _zone(one.name)
    with problems.of(span_line):
        start, end = _run(span, zone)
    problems.stop()
    return Frame(policy, settings, zone, start, end)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(TypeAdapter(ZoneName).validate_python(name))
    except ValidationError:
        raise refused(f"{name!r} is no IANA time zone", "write one like Europe/Berlin") from None


def _run(span: Span, zone: ZoneInfo) -> tuple[datetime, datetime]:
    since, until = span.since, span.until
    if since.dated is None:
        raise refused(f"{since.text} has no date", "write as in: run from 2026-03-02 06:00 to 23:00")
    start = since.on(since.dated, zone)
    end = until.after(start, zone)
    if not 0 < ms_of(end) - ms_of(start) <= MOST_DAYS * DAY_MS:
        raise refused(
            f"from {since.text} to {until.text} is not a run", f"it may last up to {MOST_DAYS} days"
        )
    return start, end
