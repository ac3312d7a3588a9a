"""What the API server's audit log tells of a run: each request for metrics with its answer, and each status that was written."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.e2e.components.control_plane import METRICS_ASKED
from tests.e2e.components.kube import Json

HPAS, API_SERVICES = "horizontalpodautoscalers", "apiservices"
RULES = (
    *METRICS_ASKED,
    {
        "level": "Request",
        "resources": [
            {"group": "autoscaling", "resources": [f"{HPAS}/status"]},
            {"group": "apiregistration.k8s.io", "resources": [f"{API_SERVICES}/status"]},
        ],
    },
)
"""Of the audit policy that this module reads the log of."""


@dataclass(frozen=True)
class Asked:
    """A request for a metric; when it came and when it was answered, in seconds of the wall clock."""

    at: float
    done: float
    user: str
    path: str
    code: int


@dataclass(frozen=True)
class Condition:
    """One that was written into an object's status."""

    at: float
    name: str
    type: str
    status: str
    message: str


@dataclass(frozen=True)
class Audit:
    log: Path

    def asked(self, since: float, user: str | None = None) -> list[Asked]:
        """By anybody, or by that user."""
        found = (
            _asked(event)
            for event in self._events(since)
            if event["objectRef"]["resource"] not in (HPAS, API_SERVICES)
        )
        return [one for one in found if user in (None, one.user)]

    def conditions(self, since: float, resource: str, kind: str) -> list[Condition]:
        """All of one type, of all objects of a resource, in the order in which they were written."""
        written = (event for event in self._events(since) if event["objectRef"]["resource"] == resource)
        return [one for event in written for one in _conditions(event) if one.type == kind]

    def _events(self, since: float) -> Iterator[Json]:
        """A last line that is only half there is left out."""
        with self.log.open("rb") as file:
            whole = (json.loads(line) for line in file if line.endswith(b"\n"))
            yield from (event for event in whole if _at(event) >= since)


def _asked(event: Json) -> Asked:
    return Asked(
        _at(event),
        _s(event["stageTimestamp"]),
        event["user"].get("username", ""),
        event["requestURI"],
        event["responseStatus"]["code"],
    )


def _conditions(event: Json) -> Iterator[Condition]:
    for one in event["requestObject"]["status"].get("conditions") or ():
        yield Condition(
            _at(event), event["objectRef"]["name"], one["type"], one["status"], one.get("message", "")
        )


def _at(event: Json) -> float:
    return _s(event["requestReceivedTimestamp"])


def _s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
