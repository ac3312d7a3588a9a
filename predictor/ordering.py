"""Sorting along a short axis by exchanging whole rows: numpy's own sort goes through the series one at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.grid import Q

_Exchanges = Sequence[tuple[int, int]]

# Knuth, TAOCP 3, 5.3.4: the least number of exchanges that sorts four.
_FOUR: _Exchanges = ((0, 2), (1, 3), (0, 1), (2, 3), (1, 2))
# Devillard, "Fast median search" (1998): the least number that brings the median of seven to place 3.
_MEDIAN: _Exchanges = (
    (0, 5), (0, 3), (1, 6), (2, 4), (0, 1), (3, 5), (2, 6), (2, 3), (3, 6), (4, 5), (1, 4), (1, 3), (3, 4),
)  # fmt: skip
assert Q == 4


def sorted_quantiles(quantiles: NDArray[Any]) -> NDArray[Any]:
    """[C, Q, series], ascending along Q."""
    return np.stack(_exchanged([quantiles[:, q] for q in range(Q)], _FOUR), axis=1)


def median_of_seven(values: NDArray[Any]) -> NDArray[Any]:
    """Along the first axis."""
    median: NDArray[Any] = _exchanged(list(values), _MEDIAN)[3]
    return median


def _exchanged(rows: list[NDArray[Any]], exchanges: _Exchanges) -> list[NDArray[Any]]:
    for i, j in exchanges:
        rows[i], rows[j] = np.minimum(rows[i], rows[j]), np.maximum(rows[i], rows[j])
    return rows
