"""What an engine is made of, as data: more for accuracy, less for very large fleets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """Names of `experts/registry.py`, in the order in which they fill in one another's features."""

    experts: tuple[str, ...]


BEST = Preset(("last", "peak", "profile", "ridge", "pooled", "own"))
FAST = Preset(("profile", "shared_ridge", "pooled"))
PRESETS = {"best": BEST, "fast": FAST}
