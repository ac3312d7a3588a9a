"""What an expert promises; tests/contract/test_experts.py runs its laws over all of them."""

from typing import Protocol

from predictor.arrays import Floats, Known
from predictor.features import Moment


class Expert(Protocol):
    name: str

    def quantiles(self, moment: Moment) -> tuple[Floats, Floats]:
        """Roots of loads [C, Q, series] for the origin `moment`, and what to remember of it [C, ..., series].

        Changes nothing but its own rows of the moment's features, for the experts after it.
        """

    def remember(self, moment: Moment, kept: Floats) -> None:
        """Keep an origin until its truths are known."""

    def learn(self, beat: int, truth: Floats, known: Known) -> None:
        """Take in a closed beat: `truth` [C, series], roots, is what the origins one lead ago were asked for;
        `known` where it counts."""
