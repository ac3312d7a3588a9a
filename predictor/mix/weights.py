"""Exponential weights from losses."""

import numpy as np

from predictor.arrays import Floats

SHARE = np.float32(0.001)
"""Every competitor keeps that much, so that it can come back."""


def gain(losses: Floats, mean: Floats, norm: Floats) -> Floats:
    """How much better than the mean each was: [n, E, Q, series]."""
    return np.asarray(np.clip((mean[:, None] - losses) / norm[:, None], -20, 20))


def exponential(log_weights: Floats) -> Floats:
    """Normalize [n, E, Q, series] over the competitors E."""
    raised = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return shared(raised, raised.sum(axis=1, keepdims=True))


def shared(weights: Floats, total: Floats) -> Floats:
    return np.asarray(weights * ((1 - SHARE) / total) + SHARE / weights.shape[1])
