"""What an expert promises; tests/contract/test_experts.py runs its laws over all of them."""

from typing import Protocol

from predictor.arrays import Floats, Known
from predictor.features import Moment
from predictor.grid import Horizon


class Expert(Protocol):
    name: str

    def quantiles(self, moment: Moment) -> tuple[Floats, Floats]:
        """Roots of loads [C, Q, series] for the origin `moment`, and what to remember of it [C, ..., series].

        Changes nothing but its own rows of the moment, for the experts after it.
        """

    def remember(self, horizon: Horizon, moment: Moment, kept: Floats) -> None:
        """Keep an origin of a lead, `kept` [T, ..., series], until its truths are known."""

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """Take in a closed beat: `truth` [T, series], roots, is what the lead's origin that falls due with it was
        asked for; `known` where it counts."""
