"""The exact quantile that the engine's trackers stand for."""

import bisect
from collections import deque

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def rolling_quantile(errors: Doubles, level: float, window: int) -> Doubles:
    """After each error the conformal quantile, rank ceil((n + 1) level) or the largest, of the last `window` ones."""
    ordered: list[float] = []
    waiting: deque[float] = deque()
    found = np.empty(len(errors))
    for i, error in enumerate(errors.tolist()):
        bisect.insort(ordered, error)
        waiting.append(error)
        if len(waiting) > window:
            ordered.pop(bisect.bisect_left(ordered, waiting.popleft()))
        found[i] = ordered[min(len(ordered), int(np.ceil((len(ordered) + 1) * level))) - 1]
    return found


def pinball(error: Doubles, level: float) -> float:
    """Mean loss of truth - quantile."""
    return float(np.maximum(level * error, (level - 1) * error).mean())
