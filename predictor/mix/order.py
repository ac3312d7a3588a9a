"""What quantiles of largest loads must be to be of one load: in order over the leads."""

import numpy as np

from predictor.arrays import Floats
from predictor.grid import AT, T


def in_order(quantiles: Floats) -> Floats:
    """[C, Q, series] with the largest load of a longer time no less than that of a shorter one, nor than the load at
    its end: a quantile can't be less than that of something smaller."""
    by_lead = quantiles.reshape(-1, T, *quantiles.shape[1:])
    largest = np.maximum.accumulate(by_lead.max(axis=1), axis=0)
    return np.stack([by_lead[:, AT], largest], axis=1).reshape(quantiles.shape)
