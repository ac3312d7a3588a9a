"""Linear quantile regression of many rows."""

import numpy as np

from predictor.arrays import Floats

_REWEIGHTINGS = 3


def quantile_fit(x: Floats, y: Floats, weight: Floats, q: float, w: Floats, penalty: Floats) -> Floats:
    """Quantile regression by reweighted least squares from the last solution `w`, to which it is shrunk."""
    prior = w.astype(float)
    for _ in range(_REWEIGHTINGS):
        error = y - x @ w
        size = np.abs(error)
        floor = max(float(np.median(size)) * 0.05, 1e-6)
        row = weight * np.where(error > 0, q, 1 - q) / np.maximum(size, floor)
        weighted = x * (row / row.mean())[:, None].astype(np.float32)
        gram = (weighted.T @ x).astype(float) + np.diag(penalty)
        w = np.linalg.solve(gram, weighted.T @ y + penalty * prior).astype(np.float32)
    return w
