"""What the controller read and wrote, and when, from the API server's audit log."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from tests.e2e.components.control_plane import HPA
from tests.e2e.components.kube import Json

RULES = (
    {
        "level": "RequestResponse",
        "users": [HPA],
        "resources": [
            {"group": "apps", "resources": ["deployments/scale"]},
            {"group": "autoscaling", "resources": ["horizontalpodautoscalers/status"]},
        ],
    },
)
"""Of the audit policy that this module reads the log of."""


class Act(Enum):
    READ_SCALE = ("get", "deployments")
    WRITE_SCALE = ("update", "deployments")
    WRITE_STATUS = ("update", "horizontalpodautoscalers")


@dataclass(frozen=True)
class Call:
    act: Act
    workload: str
    received_ms: float
    done_ms: float
    code: int
    sent: Json
    answered: Json

    @property
    def succeeded(self) -> bool:
        return self.code < 400


@dataclass(frozen=True)
class Step:
    """From a read of the scale to the next, for one workload."""

    calls: list[Call]
    next_ms: float | None
    """When the next one began; None: it is the last that is known."""

    @property
    def read(self) -> Call:
        return self.calls[0]

    @property
    def scalings(self) -> list[Call]:
        """More than one where the API server refused some."""
        return [call for call in self.calls if call.act is Act.WRITE_SCALE]

    @property
    def scaled(self) -> Call | None:
        return next((call for call in self.scalings if call.succeeded), None)

    @property
    def written(self) -> Call | None:
        """The status; one that is as it was is not written."""
        return next((call for call in self.calls if call.act is Act.WRITE_STATUS), None)

    @property
    def end_ms(self) -> float | None:
        """No decision was made later than this; None: unknown."""
        return self.written.received_ms if self.written else self.next_ms


def steps(log: Path, namespace: str) -> dict[str, list[Step]]:
    """Workload -> its steps in order of time. A last line that is only half there is left out."""
    found: dict[str, list[Call]] = defaultdict(list)
    with log.open("rb") as file:
        for line in file:
            event = json.loads(line) if line.endswith(b"\n") else {"objectRef": {}}
            if event["objectRef"].get("namespace") == namespace:
                found[event["objectRef"]["name"]].append(_call(event))
    return {name: _steps(sorted(mine, key=lambda call: call.received_ms)) for name, mine in found.items()}


def _steps(mine: list[Call]) -> list[Step]:
    groups: list[list[Call]] = []
    for call in mine:
        if call.act is Act.READ_SCALE and not (groups and _refused(groups[-1][-1])):
            groups.append([])
        groups[-1].append(call)
    begins_ms = [group[0].received_ms for group in groups]
    return [Step(*pair) for pair in zip(groups, [*begins_ms[1:], None], strict=True)]


def _refused(call: Call) -> bool:
    """A write after which the controller reads the scale again, within the same step."""
    return call.act is Act.WRITE_SCALE and not call.succeeded


def _call(event: Json) -> Call:
    reference = event["objectRef"]
    return Call(
        Act((event["verb"], reference["resource"])),
        reference["name"],
        _ms(event["requestReceivedTimestamp"]),
        _ms(event["stageTimestamp"]),
        event["responseStatus"]["code"],
        event.get("requestObject", {}),
        event.get("responseObject", {}),
    )


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000
