"""The controller's decisions: what it saw, what it did, and between which instants."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adapter.hpa.arithmetic import INT64_MIN
from adapter.hpa.observation import Observation, Reading, Scale, Unavailable
from adapter.hpa.state import Condition, Conditions, ConditionType
from cme.core.quantity import format_quantity, parse_quantity
from tests.e2e.components.kube import Json
from tests.e2e.hpa_live.audit import Act, Call, steps
from tests.e2e.hpa_live.metrics_server import Answer
from tests.e2e.hpa_live.workload import Workload


class Measure(NamedTuple):
    """What an HPA's status says of one metric."""

    value_m: int
    utilization: int | None


class Status(NamedTuple):
    """An HPA's status, less its texts and times."""

    current: int = 0
    desired: int = 0
    conditions: tuple[tuple[str, bool, str], ...] = ()
    """Type, status, reason; by type."""
    metrics: tuple[Measure | None, ...] = ()
    """None: it could not be read."""

    def as_conditions(self) -> Conditions:
        """For the model; when a condition became so has no part in a decision."""
        return tuple((ConditionType(kind), Condition(on, reason, 0)) for kind, on, reason in self.conditions)


class Result(NamedTuple):
    status: Status
    scaled_to: int | None
    """None: the scale was left alone."""


class Interval(NamedTuple):
    """Milliseconds since the epoch."""

    first: int
    last: int


@dataclass(frozen=True)
class Decision:
    before: Status
    """The status that the controller had in hands."""
    seen: Observation
    decided: Interval
    """Between the last answer to it and its first write; with nothing written, until it came again."""
    remembered: Interval
    """Between the write of the scale and that of the status: when it noted the change."""
    result: Result


def decided(workload: Workload, mine: list[Call], answers: Sequence[Answer]) -> list[Decision]:
    """All that are complete, in their order. The last one is only if it ended with a write of the status."""
    heard = [one for one in answers if one.workload == workload.name]
    found: list[Decision] = []
    versions: dict[str, Status] = {}
    latest = Status()
    all_steps = list(steps(mine))
    for step, after in zip(all_steps, [*(one[0].received_ms for one in all_steps[1:]), None], strict=True):
        written = next((call for call in step if call.act is Act.WRITE_STATUS), None)
        if written is None and after is None:
            break
        before = latest if written is None else versions.get(_version(written.sent), Status())
        end_ms = written.received_ms if written else after
        assert end_ms is not None
        found.append(_decision(workload, step, heard, before, end_ms, first=not found))
        if written and written.succeeded:
            latest = versions[_version(written.answered)] = _status(written.answered)
    return found


def _version(one: Json) -> str:
    return str(one["metadata"]["resourceVersion"])


def _decision(
    workload: Workload,
    step: list[Call],
    answers: Sequence[Answer],
    before: Status,
    end_ms: float,
    first: bool,
) -> Decision:
    read = step[0]
    heard = [one for one in answers if read.received_ms <= one.asked_ms and one.answered_ms <= end_ms]
    begin_ms = max(
        [read.received_ms if first else read.done_ms, *(one.answered_ms for one in heard if not first)]
    )
    scalings = [call for call in step if call.act is Act.WRITE_SCALE]
    scaled = scalings[-1] if scalings and scalings[-1].succeeded else None
    status = next((_status(call.sent) for call in step if call.act is Act.WRITE_STATUS), before)
    return Decision(
        before,
        Observation(
            _scale(read),
            _readings(workload, heard),
            workload.pods,
            scale_writable=not scalings or bool(scaled),
        ),
        _interval(begin_ms, scalings[0].received_ms if scalings else end_ms),
        _interval(scaled.received_ms if scaled else begin_ms, end_ms),
        Result(status, scaled.sent["spec"].get("replicas", 0) if scaled else None),
    )


def _interval(first_ms: float, last_ms: float) -> Interval:
    return Interval(math.floor(first_ms), math.ceil(last_ms))


def _readings(workload: Workload, heard: Sequence[Answer]) -> tuple[Reading, ...]:
    """By metric; a request that never came to us was an error to the controller, if it made one."""
    by_index = {one.index: one.reading for one in heard}
    return tuple(by_index.get(index, Unavailable()) for index in range(len(workload.spec.metrics)))


def _scale(read: Call) -> Scale | None:
    if not read.succeeded:
        return None
    return Scale(read.answered["spec"].get("replicas", 0), read.answered["status"].get("replicas", 0))


def _status(one: Json) -> Status:
    status = one["status"]
    conditions = sorted(
        (c["type"], c["status"] == "True", c["reason"]) for c in status.get("conditions") or ()
    )
    measures = tuple(_measure(metric) for metric in status.get("currentMetrics") or ())
    return Status(status.get("currentReplicas", 0), status["desiredReplicas"], tuple(conditions), measures)


def _measure(metric: Json) -> Measure | None:
    """A metric that failed has an entry without a type."""
    if not metric["type"]:
        return None
    (current,) = (one["current"] for name, one in metric.items() if name != "type")
    return Measure(
        _milli(current.get("value", current.get("averageValue"))), current.get("averageUtilization")
    )


def _milli(text: str) -> int:
    """Also the one number that no API accepts as an input."""
    return INT64_MIN if text == format_quantity(INT64_MIN) else parse_quantity(text)
