"""The model beside the real controller: can it have decided so, at some instant of each bracket?

The instant is unknown within milliseconds, and what the controller remembers is known by what it did; so all memories
that it may have are carried on. They hold the earliest time that something can have happened at; how much later it
can have been is kept beside them and widens the search.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from adapter.hpa.calculator import Proposal
from adapter.hpa.controller import Controller
from adapter.hpa.normalization import windows
from adapter.hpa.proposals import Outcome
from adapter.hpa.reconcile import Step, reconcile
from adapter.hpa.spec import Spec
from adapter.hpa.state import Recommendation, ScaleEvent, State
from cme.core.durations import SECOND_MS
from tests.e2e.hpa_live.decisions import Decision, Result
from tests.e2e.hpa_live.status import Measure, Status
from tests.e2e.hpa_live.workload import Workload

Kept = TypeVar("Kept", Recommendation, ScaleEvent)

MOST_MEMORIES = 300
"""With more, an HPA is not followed any further: what is possible grows with all that nobody could observe."""


@dataclass
class Replayed:
    compared: int = 0
    differing: list[str] = field(default_factory=list)
    """At most one of each workload: what follows it is not compared."""
    rescaled: int = 0
    on_edge: int = 0
    """Decisions for which the model has several results within the bracket."""


def replay(controller: Controller, found: Iterable[tuple[Workload, Sequence[Decision]]]) -> Replayed:
    done = Replayed()
    for workload, decisions in found:
        _follow(controller, workload, decisions, done)
    return done


def _follow(
    controller: Controller, workload: Workload, decisions: Sequence[Decision], done: Replayed
) -> None:
    memories, later_by = {State()}, dict[int, int]()
    for number, decision in enumerate(decisions):
        tried = [one for memory in memories for one in _tries(controller, memory, decision, later_by)]
        memories = {memory for result, memory in tried if result == decision.result}
        results = {result for result, _ in tried}
        if not memories:
            done.differing.append(_difference(workload, number, decision, results))
            return
        for interval in (decision.begun, decision.decided, decision.remembered):
            width_ms = interval.last - interval.first
            later_by[interval.first] = max(width_ms, later_by.get(interval.first, 0))
        done.compared += 1
        done.rescaled += decision.result.scaled_to is not None
        done.on_edge += len(results) > 1
        if len(memories) > MOST_MEMORIES:
            return


def _tries(
    controller: Controller, memory: State, decision: Decision, later_by: dict[int, int]
) -> Iterator[tuple[Result, State]]:
    """What the model makes of a memory, by spec and instant, and what it remembers then."""
    state = _recalled(memory, decision)
    for spec in decision.specs:
        for now_ms in _instants(controller, spec, memory, decision, later_by):
            step = reconcile(controller, spec, state, decision.seen, now_ms)
            yield _result(decision, step), _remembered(step.state, now_ms, decision)


def _recalled(memory: State, decision: Decision) -> State:
    """With the status that the controller read, which it does not remember itself, and with the size that it found when it
    began for the first time: that is noted before the decision, and may be old by then."""
    before, scale, log = decision.before, decision.seen.scale, memory.recommendations
    if log is None and scale is not None:
        log = (Recommendation(scale.replicas, decision.begun.first),)
    return memory._replace(
        recommendations=log, conditions=before.as_conditions(), desired_replicas=before.desired
    )


def _remembered(state: State, now_ms: int, decision: Decision) -> State:
    """What it keeps itself of the new state, with the earliest times of what is new."""
    logged, changed = decision.decided.first, decision.remembered.first
    log = _at(state.recommendations or (), now_ms, logged)
    return State(log or None, _at(state.ups, now_ms, changed), _at(state.downs, now_ms, changed))


def _at(kept: tuple[Kept, ...], now_ms: int, time_ms: int) -> tuple[Kept, ...]:
    """What is of now happened at another time."""
    return tuple(one._replace(time_ms=time_ms) if one.time_ms == now_ms else one for one in kept)


def _instants(
    controller: Controller, spec: Spec, memory: State, decision: Decision, later_by: dict[int, int]
) -> set[int]:
    """The ends of the bracket, and all instants about which something in it comes of age."""
    first, last = decision.decided
    spans = _spans_ms(controller, spec)
    times = {one.time_ms for kept in (memory.recommendations or (), memory.ups, memory.downs) for one in kept}
    aged = {time + span for time in times for span in spans if first - later_by[time] <= time + span <= last}
    begun = [pod.start_ms for pod in decision.seen.pods if pod.start_ms is not None]
    calm = {start + controller.cpu_initialization_ms for start in begun}
    edges = aged | {instant for instant in calm if first <= instant <= last}
    return {first, last} | {edge + aside for edge in edges for aside in (-1, 0, 1)}


def _spans_ms(controller: Controller, spec: Spec) -> set[int]:
    """Ages at which something stops to count."""
    if spec.behavior is None:
        return {controller.downscale_stabilization_ms}
    both = windows(controller, spec.behavior)
    policies = (*spec.behavior.up.policies, *spec.behavior.down.policies)
    return {
        span * SECOND_MS for span in (both.up_s, both.down_s, *(one.period_s for one in policies)) if span
    }


def _result(decision: Decision, step: Step) -> Result:
    """The step as the API would show it."""
    scale, state = decision.seen.scale, step.state
    conditions = sorted((str(kind), one.status, one.reason) for kind, one in state.conditions)
    measures = tuple(map(_measure, step.outcomes))
    status = Status(
        scale.replicas if scale else decision.before.current,
        state.desired_replicas,
        tuple(conditions),
        measures if scale else decision.before.metrics,
    )
    return Result(status, step.desired if step.rescaled else None)


def _measure(outcome: Outcome) -> Measure | None:
    return Measure(outcome.usage_m, outcome.utilization) if isinstance(outcome, Proposal) else None


def _difference(workload: Workload, number: int, decision: Decision, results: set[Result]) -> str:
    return "\n  ".join(
        [
            f"{workload.name}, decision {number}",
            *(f"spec {spec}" for spec in decision.specs),
            f"seen {decision.seen}",
            f"before {decision.before}, within {decision.decided}",
            f"the controller: {decision.result}",
            *(f"the model: {result}" for result in results),
        ]
    )
