"""A scenario of its file: statements are read, looked up, and held against its policy."""

from pathlib import Path

from adapter.hpa.controller import Controller
from adapter.replay.cluster import Site, Startup
from adapter.replay.contender import Autoscaler, Contender, autoscaler_of, following
from adapter.replay.scenario.documents import hpa_of
from adapter.replay.scenario.expectation import READY, REPLICAS, Expectation, Total
from adapter.replay.scenario.figures import CORES_SAVED
from adapter.replay.scenario.frame import Frame, frame_of
from adapter.replay.scenario.given import Given
from adapter.replay.scenario.grammar import MOST_REPLICAS, statements_of
from adapter.replay.scenario.lines import Line, Problems, lines_of, read_text, refused
from adapter.replay.scenario.loads import loads_of
from adapter.replay.scenario.scenario import Expected, Scenario
from adapter.replay.scenario.statements import (
    Beginning,
    Carrying,
    History,
    HpaOf,
    Kubernetes,
    NodesOf,
    PolicyOf,
    Sized,
    Starting,
)
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.policy import ScalingPolicy

_BEFORE_MS = HOUR_MS
"""So long before the run there is load at least, for what is measured is a mean over some time before."""


def read_scenario(path: Path) -> Scenario:
    """Raises BrokenScenario."""
    file, problems = str(path), Problems()
    given = Given(statements_of(lines_of(read_text(path), file)), file)
    frame = frame_of(given, problems)
    autoscaler = _autoscaler(given, frame.policy, problems)
    learnt_ms = sum(one.days for _, one in given.all(History)) * DAY_MS
    came, seen = loads_of(given, frame, frame.since_ms - max(learnt_ms, _BEFORE_MS), problems)
    carries = _carries(given, frame, problems)
    expectations = _expectations(given, frame, problems)
    totals = _totals(given, problems)
    problems.stop()
    begins = next((one.replicas for _, one in given.all(Beginning)), None)
    return Scenario(
        contender=Contender("tidecast", "", frame.policy, autoscaler, begins),
        settings=frame.settings,
        zone=frame.zone,
        since_ms=frame.since_ms,
        until_ms=frame.until_ms,
        came=came,
        seen=seen,
        rows=frame.rows,
        carries=carries,
        learns=learnt_ms > 0,
        site=_site(given),
        cores=next((one.cores for _, one in given.all(Sized)), None),
        expectations=expectations,
        totals=totals,
    )


def _autoscaler(given: Given, policy: ScalingPolicy, problems: Problems) -> Autoscaler | None:
    """Theirs, or what `tidecast hpa` prints; None where there is a problem."""
    controller, found = Controller(), None
    for line, asked in given.all(Kubernetes):
        with problems.of(line):
            controller = Controller(asked.version, dict.fromkeys(asked.gates, True))
    for line, one in given.all(HpaOf):
        with problems.of(line):
            found = _playable(autoscaler_of(hpa_of(line, one, policy), policy, controller))
    if not given.all(HpaOf):
        with problems.of(given.all(PolicyOf)[0][0]):
            found = _playable(following(policy, controller))
    return found


def _playable(autoscaler: Autoscaler) -> Autoscaler:
    """Raises InvalidInput."""
    most = autoscaler.spec.max_replicas
    if most > MOST_REPLICAS:
        raise refused(f"the HPA's maxReplicas is {most}", f"set at most {MOST_REPLICAS} to play it")
    return autoscaler


def _carries(given: Given, frame: Frame, problems: Problems) -> dict[str, float]:
    carries = frame.rates
    for line, one in given.all(Carrying):
        with problems.of(line):
            carries[frame.rate(one.signal)] = one.amount
    return carries


def _site(given: Given) -> Site:
    within_ms = next((one.within_ms for _, one in given.all(Starting)), MINUTE_MS)
    return Site(Startup(within_ms), next((one.nodes for _, one in given.all(NodesOf)), None))


def _expectations(given: Given, frame: Frame, problems: Problems) -> tuple[Expected, ...]:
    found = []
    for line, one in given.all(Expectation):
        with problems.of(line):
            found.append(_expected(line, one, frame))
    return tuple(found)


def _expected(line: Line, one: Expectation, frame: Frame) -> Expected:
    unit = {"replica": REPLICAS, "ready pod": READY}.get(one.unit, one.unit)
    units = [REPLICAS, READY, *(signal.name for signal in frame.policy.spec.signals)]
    if unit not in units:
        raise refused(f"there is no number of {unit!r}", f"write one of {', '.join(units)}")
    if one.until is None:
        return Expected(line, frame.moment(one.since), None, one.bound, unit, one.because)
    return Expected(line, *frame.span(one.since, one.until), one.bound, unit, one.because)


def _totals(given: Given, problems: Problems) -> tuple[tuple[Line, Total], ...]:
    totals = given.all(Total)
    for line, one in totals:
        if one.figure == CORES_SAVED and not given.all(Sized):
            problems.append(line.problem("a pod's cores are not told; write as in: pods have 4 cores"))
    return tuple(totals)
