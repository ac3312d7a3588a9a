"""Statements of a file by their kind, and that those are there which must be, and only once."""

from collections.abc import Sequence
from typing import TypeVar

from adapter.configuration.check import Problem
from adapter.replay.scenario.expectation import Expectation, Total
from adapter.replay.scenario.lines import Line, Problems
from adapter.replay.scenario.statements import (
    Beginning,
    Carrying,
    History,
    HpaOf,
    Kubernetes,
    LoadOf,
    NodesOf,
    PolicyOf,
    Sized,
    Span,
    Starting,
    Statement,
    Zone,
)

Kind = TypeVar("Kind", bound=Statement)

_ONCE: tuple[tuple[type[Statement], str], ...] = (
    (PolicyOf, "policy"),
    (HpaOf, "hpa"),
    (Kubernetes, "kubernetes"),
    (Zone, "zone"),
    (Span, "run"),
    (History, "history"),
    (Starting, "pods start"),
    (Sized, "pods have"),
    (NodesOf, "nodes"),
    (Beginning, "begin"),
)


class Given:
    """What a file says, in its order."""

    def __init__(self, found: Sequence[tuple[Line, Statement]], file: str) -> None:
        """Raises BrokenScenario."""
        self._found = found
        problems = Problems()
        for kind, name in _ONCE:
            for line, _ in self.all(kind)[1:]:
                problems.append(line.problem(f"a second {name!r}; keep one"))
        for kind in (LoadOf, Carrying):
            first: dict[str, Line] = {}
            for line, one in self.all(kind):
                if first.setdefault(one.signal, line) is not line:
                    problems.append(line.problem(f"a second one of {one.signal}; keep one"))
        for missing in self._missing():
            problems.append(Problem(file, 0, 0, (), missing))
        problems.stop()

    def all(self, kind: type[Kind]) -> list[tuple[Line, Kind]]:
        return [(line, one) for line, one in self._found if isinstance(one, kind)]

    def _missing(self) -> list[str]:
        told = []
        if not self.all(PolicyOf):
            told.append("it names no policy; write one as in: policy transcoder.yaml")
        if not self.all(Span):
            told.append("it does not say when it runs; write as in: run from 2026-03-02 06:00 to 23:00")
        if not self.all(Expectation) and not self.all(Total):
            told.append("it expects nothing; write as in: at 08:30 expect at least 40 replicas")
        return told
