"""What a nowcast is told from: the newest samples and minutes, and what the engine expects."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import SECOND_MS
from predictor.grid import QUANTILES, L, Q

Doubles = NDArray[np.float64]

BACK_MS = tuple(15 * SECOND_MS * back for back in range(1, 6))
"""How long ago the samples beside the newest one are from: a rate over a minute tells all of a change after a minute only."""
WINDOWS = (5, 15)
"""Minutes whose mean and largest load are looked at."""

FEATURES = (
    "one",
    *(f"back{ms // SECOND_MS}" for ms in BACK_MS),
    *(f"mean{minutes}" for minutes in WINDOWS),
    *(f"max{minutes}" for minutes in WINDOWS),
    *(f"expected{q * 100:.0f}" for q in QUANTILES),
    "later",
)
K = len(FEATURES)
_SHORTEST, _NEXT, _MEDIAN, _UPPER = 0, 1, 0, QUANTILES.index(0.95)
_LEAST_OF_BASE, _LEAST_OF_UPPER = 0.02, 0.05
_TIMES_LARGEST = 2


class Seen(NamedTuple):
    """Loads; NaN where unknown. The last axis is that of series, or of moments of one series."""

    raw: Doubles  # the newest sample
    back: Doubles  # [BACK_MS, ...]
    means: Doubles  # [WINDOWS, ...]
    maxima: Doubles  # [WINDOWS, ...]
    expected: Doubles  # [L, Q, ...]: the engine's largest loads


class Sight(NamedTuple):
    """`x` [K, ...]: features relative to `base`, in units of `scale`. NaN where nothing can be told."""

    x: Doubles
    base: Doubles
    scale: Doubles
    most: Doubles  # no more is ever told

    def some(self, which: Any) -> "Sight":
        """Of the last axis."""
        return Sight(*(part[..., which] for part in self))

    def rooted(self, load: Doubles) -> Doubles:
        """In the features' units."""
        return (np.sqrt(load) - self.base) / self.scale

    def load(self, value: Doubles) -> Doubles:
        """[Q, ...]: back from the features' units."""
        return np.minimum(np.square(np.maximum(self.base + self.scale * value, 0)), self.most)


def sight(seen: Seen) -> Sight:
    """All roots less that of the newest sample, over the spread that the engine expects within its shortest lead: so it is the
    same for a load that is a thousand times as large. Samples and minutes that are unknown count as the newest sample."""
    assert seen.expected.shape[:2] == (L, Q)
    base, shortest = np.sqrt(seen.raw), np.sqrt(seen.expected[_SHORTEST])
    scale = np.maximum(shortest[_UPPER] - shortest[_MEDIAN], _LEAST_OF_BASE * base)
    scale = np.maximum(scale, _LEAST_OF_UPPER * shortest[_UPPER])
    scale = np.where(scale > 0, scale, np.nan)
    past = np.sqrt(np.concatenate([seen.back, seen.means, seen.maxima]))
    ahead = np.concatenate([shortest, np.sqrt(seen.expected[_NEXT, _MEDIAN])[None]])
    x = np.concatenate([np.where(np.isnan(past), base, past), ahead]) - base
    largest = np.fmax.reduce([seen.raw, *seen.maxima, seen.expected[_SHORTEST, -1]])
    return Sight(np.concatenate([np.ones_like(x[:1]), x / scale]), base, scale, _TIMES_LARGEST * largest)


def together(sights: Sequence[Sight]) -> Sight:
    """Of many series with moments of the same number: the last axis is still that of moments, the series are before it."""
    return Sight(*(np.stack(parts, axis=-2) for parts in zip(*sights, strict=True)))
