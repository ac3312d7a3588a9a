"""What the controller read and wrote, and when, from the API server's audit log."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from tests.e2e.components.kube import Json
from tests.e2e.serving.stage import HPA

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


def calls(log: Path, namespace: str) -> dict[str, list[Call]]:
    """Workload -> what the controller did for it, in order of time. A last line that is only half there waits."""
    found: dict[str, list[Call]] = defaultdict(list)
    with log.open("rb") as file:
        for line in file:
            event = json.loads(line) if line.endswith(b"\n") else {"objectRef": {}}
            if event["objectRef"].get("namespace") == namespace:
                found[event["objectRef"]["name"]].append(_call(event))
    return {name: sorted(mine, key=lambda call: call.received_ms) for name, mine in found.items()}


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


def steps(mine: list[Call]) -> Iterator[list[Call]]:
    """The calls of one step after the other. A scale that is read after a write was refused belongs to the same one."""
    step: list[Call] = []
    for call in mine:
        refused = step and step[-1].act is Act.WRITE_SCALE and not step[-1].succeeded
        if call.act is Act.READ_SCALE and step and not refused:
            yield step
            step = []
        step.append(call)
    yield step
