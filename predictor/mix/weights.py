"""Exponential weights from losses."""

import numpy as np

from predictor.arrays import Floats

SHARE = np.float32(0.001)
"""Every competitor keeps that much, so that it can come back."""


def gain(losses: Floats, mean: Floats, norm: Floats) -> Floats:
    """How much better than the mean each was: [T, E, Q, series]."""
    return np.asarray(np.clip((mean[:, None] - losses) / norm[:, None], -20, 20))


def moved(weights: Floats, keep: float, gained: Floats) -> Floats:
    """Weights [T, E, Q, series] of the competitors E after one more origin: log w = keep log w + gained."""
    raised = np.log(weights)
    raised *= np.float32(keep)
    raised += gained
    raised -= raised.max(axis=1, keepdims=True)
    np.exp(raised, out=raised)
    return shared(raised, raised.sum(axis=1, keepdims=True))


def shared(weights: Floats, total: Floats) -> Floats:
    return np.asarray(weights * ((1 - SHARE) / total) + SHARE / weights.shape[1])
