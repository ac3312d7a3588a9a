"""What is expected: bounds of a number, and the reasons for it."""

import re
from dataclasses import dataclass

from adapter.replay.scenario.clock import When
from adapter.replay.scenario.lines import refused
from adapter.replay.scenario.shape import number_of
from cme.core.reasons import EXPLANATIONS, Reason, codes

EXPECT = r"expect (?P<bound>at least \S+|at most \S+|between \S+ and \S+|(?!at |between )\S+) (?P<unit>.+?)"
WHY = r"(?: because (?P<why>.+))?"

REPLICAS, READY = "replicas", "ready pods"
_NAMED = {str(reason.name).lower(): reason for reason in EXPLANATIONS}


@dataclass(frozen=True, slots=True)
class Bound:
    """Both ends are included."""

    text: str
    least: float
    most: float

    def holds(self, number: float) -> bool:
        """Not for NaN."""
        return self.least - 1e-9 <= number <= self.most + 1e-9


@dataclass(frozen=True, slots=True)
class Because:
    """Reasons that are all to be there, and ones of which none is."""

    wanted: Reason = Reason.NONE
    unwanted: Reason = Reason.NONE

    def holds(self, reasons: int) -> bool:
        return reasons & self.wanted == self.wanted and not reasons & self.unwanted

    def __str__(self) -> str:
        return ", ".join([*codes(self.wanted), *(f"not {code}" for code in codes(self.unwanted))])


@dataclass(frozen=True, slots=True)
class Expectation:
    """Of a moment, or of all from it until another one."""

    since: When
    until: When | None
    bound: Bound
    unit: str
    because: Because


@dataclass(frozen=True, slots=True)
class Total:
    """Of the whole run."""

    bound: Bound
    figure: str


def parse_bound(text: str) -> Bound:
    """Raises InvalidInput."""
    words = text.split()
    if words[0] == "between":
        least, most = number_of(words[1]), number_of(words[3])
        if least > most:
            raise refused(f"nothing is {text}", "write the smaller number first")
        return Bound(text, least, most)
    number = number_of(words[-1])
    least = 0.0 if words[:2] == ["at", "most"] else number
    return Bound(text, least, float("inf") if words[:2] == ["at", "least"] else number)


def parse_because(text: str | None) -> Because:
    """Raises InvalidInput."""
    wanted = unwanted = Reason.NONE
    for part in re.split(r", (?:and )?| and ", text) if text else ():
        if part.startswith("not "):
            unwanted |= _reason(part.removeprefix("not "))
        else:
            wanted |= _reason(part)
    if wanted & unwanted:
        raise refused(f"{codes(wanted & unwanted)[0]} can't be a reason and be none", "write it once")
    return Because(wanted, unwanted)


def _reason(code: str) -> Reason:
    if code not in _NAMED:
        raise refused(f"there is no reason {code!r}", f"write one of {', '.join(_NAMED)}")
    return _NAMED[code]
