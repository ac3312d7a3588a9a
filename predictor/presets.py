"""What an engine is made of, as data: more for accuracy, less for very large fleets."""

from dataclasses import dataclass

from predictor.grid import BEAT_MS, Grid


@dataclass(frozen=True, slots=True)
class Preset:
    experts: tuple[str, ...]
    """Names of `experts/registry.py`, in the order in which they fill in one another's features."""
    strides: tuple[int, ...]
    """Minutes between the origins that each lead of LEADS_MS learns from; see Grid."""

    def grid(self, beat_ms: int = BEAT_MS) -> Grid:
        return Grid(beat_ms, self.strides)


BEST = Preset(("last", "profile", "ridge", "pooled"), strides=(5, 5, 10, 20, 40))
FAST = Preset(("profile", "shared_ridge", "pooled"), strides=(5, 15, 30, 60, 120))
PRESETS = {"best": BEST, "fast": FAST}
