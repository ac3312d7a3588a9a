"""Rolling conformal quantiles: how far past truths lay above a point, by rank.

With n past errors the q-quantile is the ceil((n + 1) q)-th smallest (split conformal prediction; Vovk et al.).
A rank beyond n needs more errors than there are: then the pooled errors of all series stand in, in units of
each series' own scale, and the cell counts as uncalibrated.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats
from predictor.grid import BEATS_PER_DAY, LEAD_BEATS, LONGEST, QUANTILES, L, Q, T

EVERY = 3  # beats between kept errors: those of neighbouring origins say nearly the same
WINDOW = 7 * BEATS_PER_DAY // EVERY
REFRESH = 12  # beats between new ranks once a window has settled
SETTLED = 200  # errors from which on one more hardly moves a rank
POOL = 64  # series that the pool is drawn from
_NORMAL = (
    0.0,
    1.2816,
    1.6449,
    2.3263,
)  # standard normal quantiles: the very first hours of the very first series
_LEADS = np.arange(L)
_BEATS = np.array(LEAD_BEATS)
_SCALE_DECAY = np.float32(1 / BEATS_PER_DAY)


class Conformal:
    """Windows of errors per lead, expert, target and series; offsets [lead, expert, target, quantile, series]."""

    def __init__(self, arrays: Arrays, experts: int) -> None:
        self._arrays = arrays
        arrays.declare("conformal.points", (LONGEST + 1, L, experts, T), np.nan)
        arrays.declare("conformal.errors", (L, experts, T, WINDOW), np.nan)
        arrays.declare("conformal.count", (L,), dtype="int32")
        arrays.declare("conformal.scale", (), np.nan)
        arrays.declare("conformal.last", (), np.nan)
        arrays.declare("conformal.offsets", (L, experts, T, Q), np.nan)

    def learn(self, beat: int, last: Floats, truth: Floats) -> None:
        """Keep the errors of the origins whose truth [target, lead, series] is known now."""
        self._learn_scale(last)
        if beat % EVERY:
            return
        points = self._arrays["conformal.points"][(beat - _BEATS) % (LONGEST + 1), _LEADS]
        errors = truth.swapaxes(0, 1)[:, None] - points
        self._arrays["conformal.errors"][:, :, :, (beat // EVERY) % WINDOW] = errors
        self._count()
        if beat % REFRESH == 0 or self._arrays["conformal.count"].min(initial=SETTLED) < SETTLED:
            self._arrays["conformal.offsets"][:] = self._offsets()

    def remember(self, beat: int, points: Floats) -> None:
        """Keep the points [lead, expert, target, series] of this origin until their truth is known."""
        self._arrays["conformal.points"][beat % (LONGEST + 1)] = points

    def offsets(self) -> Floats:
        """What to add to a point: [lead, expert, target, quantile, series]."""
        offsets = self._arrays["conformal.offsets"]
        if not np.isnan(offsets).any():
            return offsets
        return np.where(np.isnan(offsets), self._gaussian() * self._scale(), offsets).astype(np.float32)

    def uncalibrated(self) -> NDArray[np.uint32]:
        """[series]: bit lead * 4 + quantile is set where a series has too few errors of its own."""
        missing = self._arrays["conformal.count"][:, None] < _errors_needed()[:, None]
        bits = (np.uint32(1) << np.arange(L * Q, dtype=np.uint32)).reshape(L, Q, 1)
        return np.asarray((missing * bits).sum(axis=(0, 1)), dtype=np.uint32)

    def _learn_scale(self, last: Floats) -> None:
        """Mean absolute step from beat to beat over about a day."""
        scale, before = self._arrays["conformal.scale"], self._arrays["conformal.last"]
        step = np.abs(last - before)
        known = np.where(np.isnan(scale), step, scale + _SCALE_DECAY * (step - scale))
        scale[:] = np.where(np.isnan(step), scale, known)
        before[:] = np.where(np.isnan(last), before, last)

    def _scale(self) -> Floats:
        """Never zero: a flat series may still move, by 2 % of its level."""
        level = np.nan_to_num(self._arrays["conformal.last"])
        floor = np.float32(0.02) * level + np.float32(1e-6)
        return np.asarray(np.maximum(np.nan_to_num(self._arrays["conformal.scale"]), floor))

    def _count(self) -> None:
        # The last value's errors of `at` exist wherever any do.
        self._arrays["conformal.count"][:] = np.isfinite(self._arrays["conformal.errors"][:, 0, 0]).sum(
            axis=1
        )

    def _offsets(self) -> Floats:
        errors = np.sort(self._arrays["conformal.errors"], axis=3)  # NaN last
        count = self._arrays["conformal.count"]
        pooled = self._pooled() * self._scale()
        own = [_ranked(errors, count, q) for q in QUANTILES]
        ranks = np.stack(own, axis=3)
        return np.where(np.isnan(ranks), pooled, ranks).astype(np.float32)

    def _pooled(self) -> Floats:
        """Quantiles [lead, expert, target, quantile, 1] of all series' errors in units of their scale."""
        errors = self._arrays["conformal.errors"][..., :POOL] / self._scale()[:POOL]
        flat = np.sort(errors.reshape(*errors.shape[:3], -1), axis=3).astype(np.float32)
        count = np.isfinite(flat).sum(axis=3).min(axis=(1, 2))[:, None]
        pooled = np.stack([_ranked(flat[..., None], count, q) for q in QUANTILES], axis=3)
        return np.where(np.isnan(pooled), self._gaussian(), pooled).astype(np.float32)

    def _gaussian(self) -> Floats:
        normal = np.array(_NORMAL, dtype=np.float32)
        growth = np.sqrt(_BEATS).astype(np.float32)
        return np.asarray((growth[:, None] * normal)[:, None, None, :, None], dtype=np.float32)


def _errors_needed() -> NDArray[np.int64]:
    """Errors from which on a quantile has a rank of its own: the least n with ceil((n + 1) q) <= n."""
    return np.array([int(np.ceil(q / (1 - q) - 1e-9)) for q in QUANTILES])


def _ranked(sorted_errors: Floats, count: NDArray[Any], q: float) -> Floats:
    """The ceil((n + 1) q)-th smallest along axis 3 of [lead, expert, target, window, series]; NaN without one."""
    rank = np.ceil((count + 1) * np.float64(q) - 1e-9).astype(np.int64)
    index = np.clip(rank - 1, 0, sorted_errors.shape[3] - 1)[:, None, None, None, :]
    wanted = np.broadcast_to(index, (*sorted_errors.shape[:3], 1, sorted_errors.shape[4]))
    found = np.take_along_axis(sorted_errors, wanted, axis=3)[:, :, :, 0]
    return np.where((rank <= count)[:, None, None, :], found, np.float32(np.nan))
