"""What an expert promises; tests/contract/test_experts.py runs its laws over all of them."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from predictor.arrays import Arrays, Floats


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known at a moment, roots of loads, [series]; NaN where a series has a gap."""

    beat: int  # beats since the epoch, of the newest closed beat
    last: Floats  # newest minute mean
    hour_max: Floats  # largest minute maximum of the last 60 minutes


class Expert(Protocol):
    name: ClassVar[str]

    def __init__(self, arrays: Arrays) -> None:
        """Declare all memory in `arrays`, under names that begin with the expert's."""

    def learn(self, seen: Observation, truth: Floats) -> None:
        """Take in a closed beat. `truth` [target, lead, series]: what the target of the origin one lead ago
        turned out to be; NaN where unknown."""

    def points(self, seen: Observation) -> Floats:
        """Points [target, lead, series] for the origin `seen`; changes nothing. NaN where there is a gap."""
