"""Between the grid: any lead and quantile from the nowcast's lead, the engine's five, and four quantiles."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from cme.core.policy import SOON_MS
from predictor.grid import LEADS_MS, QUANTILES

_NORMAL = NormalDist()
_SCORES = np.array([_NORMAL.inv_cdf(q) for q in QUANTILES])
_ROOTS = np.sqrt(np.array([0, SOON_MS, *LEADS_MS], dtype=float))
_SHARE_SOON = _ROOTS[1] / _ROOTS[2]


def between(
    values: NDArray[np.float64],
    now: NDArray[np.float64],
    soon: NDArray[np.float64],
    lead_ms: NDArray[np.float64],
    quantile: NDArray[np.float64],
) -> NDArray[np.float64]:
    """One value per series from `values` [lead, quantile, series] and what the nowcast says of the
    quantile, `soon` [series].

    Over the lead linear in sqrt(time), as the spread of a random walk grows, from the last value `now` at lead
    0; over the quantile linear in the normal score, above .99 as between .95 and .99. Leads beyond the grid and
    quantiles below it are those of its ends. So it is continuous and ordered as the grid is; the largest load, which
    the last value is no part of, may fall on the way from that to the shortest lead. What is largest soon is never more
    than what is largest within a longer time, which may be known from before the newest samples. Without a nowcast (NaN) there
    is none on the way to the shortest lead.
    """
    by_lead = at_quantile(np.moveaxis(values, 1, 0), quantile)
    on_the_way = now + _SHARE_SOON * (by_lead[0] - now)
    anchored = np.concatenate(
        [now[None], np.where(np.isnan(soon), on_the_way, soon)[None], np.fmax(by_lead, soon)]
    )
    return _along(_ROOTS, anchored, np.minimum(np.sqrt(lead_ms), _ROOTS[-1]))


def at_quantile(values: NDArray[np.float64], quantile: NDArray[np.float64]) -> NDArray[np.float64]:
    """[..., series] from `values` [quantile, ..., series]."""
    different, which = np.unique(quantile, return_inverse=True)
    scores = np.array([_NORMAL.inv_cdf(q) for q in different.tolist()])[which]
    return _along(_SCORES, values, scores)


def from_now(
    values: NDArray[np.float32], leads: tuple[int, ...], now: NDArray[np.float32], elapsed_ms: int
) -> NDArray[np.float32]:
    """All leads from now on of forecasts [target, lead, quantile, series] that know only `leads` (indices of
    LEADS_MS), made `elapsed_ms` ago: by the same rule, from the value `now` [series] that was newest then and is."""
    known = np.sqrt(np.array([0, *(LEADS_MS[i] for i in leads)], dtype=float))
    asked = np.sqrt(np.array(LEADS_MS, dtype=float) + elapsed_ms)
    shares = np.stack([np.interp(asked, known, one) for one in np.eye(len(known))], axis=1)
    anchor = np.broadcast_to(now, (len(values), 1, *values.shape[2:]))
    anchored = np.concatenate([anchor, values[:, list(leads)]], axis=1)
    return np.asarray(np.einsum("lg,tgqn->tlqn", shares.astype(np.float32), anchored))


def _along(
    grid: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Linear in `values` [grid, ..., series] at one place per series, also above the grid."""
    right = np.clip(np.searchsorted(grid, at), 1, len(grid) - 1)
    share = np.maximum((at - grid[right - 1]) / (grid[right] - grid[right - 1]), 0)
    rows = np.arange(values.shape[-1])
    low = np.moveaxis(values, -1, 0)[rows, right - 1]
    high = np.moveaxis(values, -1, 0)[rows, right]
    low, high = np.moveaxis(low, 0, -1), np.moveaxis(high, 0, -1)
    # On the grid itself what lies beside is left out, as it may be NaN.
    return np.where(share == 1, high, low * (1 - share) + high * share)
