"""What quantiles of largest loads must be to be of one load: in order over the leads."""

import itertools

import numpy as np

from predictor.arrays import Floats
from predictor.grid import AT, MAX, T


def in_order(quantiles: Floats) -> Floats:
    """[C, Q, series] with the largest load of a longer time no less than that of a shorter one, nor than the load at
    its end: a quantile can't be less than that of something smaller."""
    by_lead = quantiles.reshape(-1, T, *quantiles.shape[1:])
    ordered = by_lead.copy()
    np.maximum(by_lead[:, AT], by_lead[:, MAX], out=ordered[:, MAX])
    for shorter, longer in itertools.pairwise(ordered[:, MAX]):
        np.maximum(shorter, longer, out=longer)
    return ordered.reshape(quantiles.shape)
