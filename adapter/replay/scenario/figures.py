"""What is said of a run as a whole."""

from collections.abc import Callable
from dataclasses import dataclass

from adapter.replay.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Whole:
    """A run beside one that always keeps as many replicas as its largest demand needs."""

    outcome: Outcome
    cores: float | None
    """Of a replica, if that was told."""

    @property
    def short_percent(self) -> float:
        """NaN where no load came."""
        return 100 * self.outcome.short if self._loaded else float("nan")

    @property
    def over_percent(self) -> float:
        """NaN where no load came."""
        return 100 * self.outcome.over if self._loaded else float("nan")

    @property
    def _loaded(self) -> bool:
        return self.outcome.demand_hours > 1e-9

    @property
    def saved_percent(self) -> float:
        return 100 * self.outcome.saved_replicas / self.outcome.peak

    @property
    def saved_cores(self) -> float:
        """On average; NaN where a replica's are not known."""
        return float("nan") if self.cores is None else self.outcome.saved_replicas * self.cores


CORES_SAVED = "cores saved"

FIGURES: dict[str, Callable[[Whole], float]] = {
    "% short": lambda whole: whole.short_percent,
    "minutes short": lambda whole: whole.outcome.minutes_short,
    "% over": lambda whole: whole.over_percent,
    "% saved": lambda whole: whole.saved_percent,
    CORES_SAVED: lambda whole: whole.saved_cores,
    "replica-hours": lambda whole: whole.outcome.replica_hours,
    "seconds of wait": lambda whole: whole.outcome.longest_delay_s,
    "changes": lambda whole: whole.outcome.changes,
    "flaps": lambda whole: whole.outcome.flaps,
}
"""By the words with which a scenario asks for them."""
