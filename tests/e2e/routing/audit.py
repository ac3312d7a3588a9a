"""What the API server's audit log tells of a run: requests for metrics with their answers, statuses and events written."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.e2e.components.control_plane import HPA, METRICS_ASKED
from tests.e2e.components.kube import Json

Of = TypeVar("Of", bound="Entry")

RULES = (
    *METRICS_ASKED,
    {
        "level": "Request",
        "resources": [
            {"group": "autoscaling", "resources": ["horizontalpodautoscalers/status"]},
            {"group": "apiregistration.k8s.io", "resources": ["apiservices/status"]},
        ],
    },
    {"level": "Request", "users": [HPA], "resources": [{"group": "", "resources": ["events"]}]},
)
"""Of the audit policy that this module reads the log of."""


class Span(NamedTuple):
    """From one time to another, in seconds of the wall clock as all times here."""

    begin: float
    end: float

    def meets(self, other: "Span") -> bool:
        return self.begin <= other.end and self.end >= other.begin


@dataclass(frozen=True)
class Entry:
    span: Span


@dataclass(frozen=True)
class Asked(Entry):
    """A request for a metric, from when it came until it was answered."""

    user: str
    path: str
    code: int


@dataclass(frozen=True)
class Condition(Entry):
    """One that was written into an object's status."""

    name: str
    status: str
    message: str


@dataclass(frozen=True)
class Event(Entry):
    """One of an HPA, or the word that it came again, which has no reason."""

    name: str
    reason: str


@dataclass(frozen=True)
class Record:
    asked: list[Asked] = field(default_factory=list)
    scaling_active: list[Condition] = field(default_factory=list)
    """Of HPAs."""
    available: list[Condition] = field(default_factory=list)
    """Of APIServices."""
    events: list[Event] = field(default_factory=list)

    @property
    def refused(self) -> list[Asked]:
        return [one for one in self.asked if one.code != 200]

    @property
    def inactive(self) -> list[Condition]:
        return [one for one in self.scaling_active if one.status != "True"]

    @property
    def unavailable(self) -> list[Condition]:
        return [one for one in self.available if one.status != "True"]

    @property
    def failures(self) -> list[Event]:
        """FailedGetObjectMetric, FailedComputeMetricsReplicas and their like, each time."""
        names = {event.name for event in self.events if event.reason.startswith("Failed")}
        return [event for event in self.events if event.name in names]


def after(moment: float, entries: Iterable[Of]) -> list[Of]:
    """Those that began later."""
    return [one for one in entries if one.span.begin > moment]


def read(log: Path) -> Record:
    """A last line that is only half there is left out."""
    record = Record()
    with log.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                _take(record, json.loads(line))
    return record


def _take(record: Record, line: Json) -> None:
    span = Span(_s(line["requestReceivedTimestamp"]), _s(line["stageTimestamp"]))
    of, sent = line["objectRef"], line.get("requestObject", {})
    match of["resource"]:
        case "horizontalpodautoscalers":
            record.scaling_active.extend(_conditions(span, of["name"], sent, "ScalingActive"))
        case "apiservices":
            record.available.extend(_conditions(span, of["name"], sent, "Available"))
        case "events":
            record.events.append(Event(span, of["name"], sent.get("reason", "")))
        case _:
            user, code = line["user"].get("username", ""), line["responseStatus"]["code"]
            record.asked.append(Asked(span, user, line["requestURI"], code))


def _conditions(span: Span, name: str, sent: Json, kind: str) -> Iterator[Condition]:
    for one in sent["status"].get("conditions") or ():
        if one["type"] == kind:
            yield Condition(span, name, one["status"], one.get("message", ""))


def _s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
