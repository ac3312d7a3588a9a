"""The online mix: exponential weights per series, target, lead and quantile, from pinball losses come due."""

import numpy as np

from predictor.arrays import Arrays, Floats
from predictor.grid import BEATS_PER_DAY, LEAD_BEATS, LONGEST, QUANTILES, L, Q, T

FORGET = np.float32(0.997)
SHARE = np.float32(0.001)  # every expert keeps at least this, so that it can come back
ETA = np.array([0.1, 0.1, 0.1, 0.05, 0.05], dtype=np.float32)[:, None, None, None, None]
_NORM_DECAY = np.float32(1 / (2 * BEATS_PER_DAY))
_LEADS = np.arange(L)
_BEATS = np.array(LEAD_BEATS)
_LEVELS = np.array(QUANTILES, dtype=np.float32)[:, None]


class Mix:
    """Weights [lead, expert, target, quantile, series], kept as logarithms."""

    def __init__(self, arrays: Arrays, experts: int) -> None:
        self._arrays, self._experts = arrays, experts
        arrays.declare("mix.log_weights", (L, experts, T, Q), -np.log(experts))
        arrays.declare("mix.norm", (L, T, Q), np.nan)
        arrays.declare("mix.served", (LONGEST + 1, L, experts, T, Q), np.nan)

    def learn(self, beat: int, truth: Floats) -> None:
        """Weigh the experts by the pinball loss of the origins whose truth [target, lead, series] is known now."""
        served = self._arrays["mix.served"][(beat - _BEATS) % (LONGEST + 1), _LEADS]
        above = truth.swapaxes(0, 1)[:, None, :, None] - served
        loss = np.maximum(_LEVELS * above, (_LEVELS - 1) * above)
        mean = loss.mean(axis=1)
        norm = self._arrays["mix.norm"]
        moved = np.where(np.isnan(norm), mean, norm + _NORM_DECAY * (mean - norm))
        norm[:] = np.where(np.isnan(mean), norm, moved)
        gain = (mean[:, None] - loss) / np.maximum(norm, np.float32(1e-9))[:, None]
        gain = np.nan_to_num(np.clip(gain, -20, 20))
        log_weights = self._arrays["mix.log_weights"]
        log_weights[:] = np.log(self._softmax(FORGET * log_weights + ETA * gain))

    def remember(self, beat: int, quantiles: Floats) -> None:
        """Keep the experts' quantiles [lead, expert, target, quantile, series] of this origin."""
        self._arrays["mix.served"][beat % (LONGEST + 1)] = quantiles

    def combine(self, quantiles: Floats) -> Floats:
        """[target, lead, quantile, series], never crossing."""
        weights = np.exp(self._arrays["mix.log_weights"])
        mixed = (weights * quantiles).sum(axis=1).swapaxes(0, 1)
        return np.asarray(np.sort(mixed, axis=2), dtype=np.float32)

    def _softmax(self, log_weights: Floats) -> Floats:
        raised = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
        weights = raised / raised.sum(axis=1, keepdims=True)
        return np.asarray((1 - SHARE) * weights + SHARE / self._experts, dtype=np.float32)
