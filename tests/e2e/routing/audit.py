"""What the API server's audit log tells of a run: each request for a metric with its answer, and each status that was written."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tests.e2e.components.control_plane import METRICS_ASKED
from tests.e2e.components.kube import Json

RULES = (
    *METRICS_ASKED,
    {
        "level": "Request",
        "resources": [
            {"group": "autoscaling", "resources": ["horizontalpodautoscalers/status"]},
            {"group": "apiregistration.k8s.io", "resources": ["apiservices/status"]},
        ],
    },
)
"""Of the audit policy that this module reads the log of."""


class Window(NamedTuple):
    """From one time to another, in seconds of the wall clock as all times here."""

    begin: float
    end: float


@dataclass(frozen=True)
class Asked:
    """A request for a metric: when it came and when it was answered."""

    begin: float
    end: float
    user: str
    path: str
    code: int

    def meets(self, window: Window) -> bool:
        return self.begin <= window.end and self.end >= window.begin


@dataclass(frozen=True)
class Condition:
    """One that was written into an object's status."""

    at: float
    name: str
    status: str
    message: str

    def is_within(self, window: Window) -> bool:
        return window.begin <= self.at <= window.end


@dataclass(frozen=True)
class Record:
    """All that came since a time."""

    asked: list[Asked]
    scaling_active: list[Condition]
    """Of HPAs."""
    available: list[Condition]
    """Of APIServices."""


def read(log: Path, since: float) -> Record:
    """A last line that is only half there is left out."""
    record = Record([], [], [])
    with log.open("rb") as file:
        for event in (json.loads(line) for line in file if line.endswith(b"\n")):
            if _s(event["requestReceivedTimestamp"]) >= since:
                _take(record, event)
    return record


def _take(record: Record, event: Json) -> None:
    match event["objectRef"]["resource"]:
        case "horizontalpodautoscalers":
            record.scaling_active.extend(_conditions(event, "ScalingActive"))
        case "apiservices":
            record.available.extend(_conditions(event, "Available"))
        case _:
            record.asked.append(_asked(event))


def _asked(event: Json) -> Asked:
    return Asked(
        _s(event["requestReceivedTimestamp"]),
        _s(event["stageTimestamp"]),
        event["user"].get("username", ""),
        event["requestURI"],
        event["responseStatus"]["code"],
    )


def _conditions(event: Json, kind: str) -> Iterator[Condition]:
    for one in event["requestObject"]["status"].get("conditions") or ():
        if one["type"] == kind:
            at, name = _s(event["requestReceivedTimestamp"]), event["objectRef"]["name"]
            yield Condition(at, name, one["status"], one.get("message", ""))


def _s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
