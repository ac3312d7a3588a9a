"""The controller's decisions: what it saw, what it did, and between which instants."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adapter.hpa.observation import Observation, Reading, Scale, Unavailable
from adapter.hpa.spec import Spec
from tests.e2e.components.kube import Json
from tests.e2e.hpa_live import status
from tests.e2e.hpa_live.audit import Call, Step
from tests.e2e.hpa_live.manifests import WHICH
from tests.e2e.hpa_live.metrics_server import Answer
from tests.e2e.hpa_live.status import Status
from tests.e2e.hpa_live.workload import Workload

LAG_MS = 3000
"""A spec that was replaced so long ago is forgotten by the controller."""


class Result(NamedTuple):
    status: Status
    scaled_to: int | None
    """None: the scale was left alone."""


class Interval(NamedTuple):
    """Milliseconds since the epoch."""

    first: int
    last: int


class Applied(NamedTuple):
    """That an HPA was given the spec of that index."""

    workload: str
    which: int
    begun_ms: float
    done_ms: float


@dataclass(frozen=True)
class Decision:
    specs: tuple[Spec, ...]
    """Those that the controller may have had in hands; one, if it wrote a status."""
    before: Status
    """The status that it had in hands."""
    seen: Observation
    begun: Interval
    """Between its read of the scale and its first question: when it noted the first size that it ever saw."""
    decided: Interval
    """Between our first answer to it and its first write; with nothing written, until it came again."""
    remembered: Interval
    """Between the write of the scale and that of the status: when it noted the change."""
    result: Result


def decided(
    workload: Workload, steps: Sequence[Step], answers: Sequence[Answer], applied: Sequence[Applied]
) -> list[Decision]:
    """All in their order; the last step is left out, unless it ended with a write of the status."""
    heard = [one for one in answers if one.workload == workload.name]
    given = [one for one in applied if one.workload == workload.name]
    found: list[Decision] = []
    for step, before in zip(steps, _before(steps), strict=True):
        if step.end_ms is not None:
            specs = _specs(workload, step, step.end_ms, given)
            found.append(_decision(workload, step, step.end_ms, specs, before, heard))
    return found


def _before(steps: Sequence[Step]) -> Iterator[Status]:
    """The status that the controller had at each step: by the version that it wrote to, or else the last one."""
    versions = {0: Status()}
    for step in steps:
        if step.written is None:
            yield versions[max(versions)]
            continue
        version = _version(step.written.sent)
        yield versions[max(one for one in versions if one <= version)]  # others change the spec alone
        if step.written.succeeded:
            versions[_version(step.written.answered)] = status.of(step.written.answered)


def _version(hpa: Json) -> int:
    return int(hpa["metadata"]["resourceVersion"])


def _specs(workload: Workload, step: Step, end_ms: float, given: Sequence[Applied]) -> tuple[Spec, ...]:
    if step.written:
        return (workload.specs[int(step.written.sent["metadata"]["annotations"][WHICH])],)
    ends_ms = [*(one.done_ms + LAG_MS for one in given[1:]), math.inf]
    found = {
        one.which
        for one, gone_ms in zip(given, ends_ms, strict=True)
        if one.begun_ms <= end_ms and step.read.received_ms <= gone_ms
    }
    return tuple(workload.specs[which] for which in sorted(found))


def _decision(
    workload: Workload,
    step: Step,
    end_ms: float,
    specs: tuple[Spec, ...],
    before: Status,
    answers: Sequence[Answer],
) -> Decision:
    read, scalings, scaled = step.read, step.scalings, step.scaled
    heard = [one for one in answers if read.received_ms <= one.asked_ms and one.answered_ms <= end_ms]
    first_write_ms = scalings[0].received_ms if scalings else end_ms
    readings, writable = _readings(workload, heard), not scalings or scaled is not None
    return Decision(
        specs,
        before,
        Observation(_scale(read), readings, workload.pods, scale_writable=writable),
        _interval(read.received_ms, min((one.asked_ms for one in heard), default=first_write_ms)),
        _interval(min((one.answered_ms for one in heard), default=read.received_ms), first_write_ms),
        _interval(scaled.received_ms if scaled else first_write_ms, end_ms),
        Result(
            status.of(step.written.sent) if step.written else before,
            scaled.sent["spec"].get("replicas", 0) if scaled else None,
        ),
    )


def _interval(first_ms: float, last_ms: float) -> Interval:
    return Interval(math.floor(first_ms), math.ceil(last_ms))


def _readings(workload: Workload, heard: Sequence[Answer]) -> tuple[Reading, ...]:
    """By metric; a request that never came to us was an error to the controller, if it made one."""
    by_index = {one.index: one.reading for one in heard}
    return tuple(by_index.get(index, Unavailable()) for index in range(len(workload.metrics)))


def _scale(read: Call) -> Scale | None:
    if not read.succeeded:
        return None
    return Scale(read.answered["spec"].get("replicas", 0), read.answered["status"].get("replicas", 0))
