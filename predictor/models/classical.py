"""Three classical models of hourly values: what the next day will be, and how sure that is.

All are fitted by maximum likelihood to roots of loads in units of their mean (a load's noise grows with its level, its
root's hardly does), and their standard deviations are those of the forecast errors.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cme.core.errors import TidecastError

Doubles = NDArray[np.float64]

AHEAD_HOURS = 24
FEWEST_HOURS = 7 * 24
_DAY, _WEEK = 24, 168
_KNOWN_SHARE = 0.5


class ModelFailed(TidecastError):
    """The model says nothing of this series; `reason` is one of a few."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def forecast(model: str, hours: Doubles) -> tuple[Doubles, Doubles]:
    """Means and standard deviations of the roots of the next 24 hours of `hours`, loads, NaN for gaps.

    Raises ModelFailed.
    """
    hours = hours[np.argmax(np.isfinite(hours)) :]  # a younger series begins later
    if len(hours) < FEWEST_HOURS or np.isfinite(hours).mean() < _KNOWN_SHARE:
        raise ModelFailed("too few hours")
    roots = np.sqrt(np.maximum(hours, 0))
    unit = float(np.nanmean(roots))
    if np.nanstd(roots) <= 1e-6 * unit:
        raise ModelFailed("no variation")
    try:
        mean, deviation = MODELS[model](roots / unit)
    except (ValueError, np.linalg.LinAlgError):  # as statsmodels says that a likelihood has no maximum
        raise ModelFailed("no fit") from None
    if not (np.isfinite(mean).all() and np.isfinite(deviation).all() and (deviation >= 0).all()):
        raise ModelFailed("not finite")
    return mean * unit, deviation * unit


def _unobserved_components(values: Doubles) -> tuple[Doubles, Doubles]:
    """Level, day and week as trigonometric seasons and an autoregressive rest (Harvey 1989)."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    seasons = [{"period": _DAY, "harmonics": 6}]
    if len(values) >= 2 * _WEEK:
        seasons.append({"period": _WEEK, "harmonics": 3})
    model = UnobservedComponents(values, level="llevel", freq_seasonal=seasons, autoregressive=1)
    return _of_state_space(model.fit(disp=0, maxiter=200))


def _sarimax(values: Doubles) -> tuple[Doubles, Doubles]:
    """ARIMA(1, 0, 1)(0, 1, 1) of period 24 (Box and Jenkins 1970)."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    model = SARIMAX(values, order=(1, 0, 1), seasonal_order=(0, 1, 1, _DAY))
    return _of_state_space(model.fit(disp=0, maxiter=200))


def _ets(values: Doubles) -> tuple[Doubles, Doubles]:
    """ETS(A, Ad, A): additive error, damped trend, additive day (Hyndman, Koehler, Ord and Snyder 2008)."""
    import pandas as pd
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    places = np.arange(len(values))
    known = np.isfinite(values)
    whole = pd.Series(np.interp(places, places[known], values[known]))
    model = ETSModel(
        whole, error="add", trend="add", damped_trend=True, seasonal="add", seasonal_periods=_DAY
    )
    fit = model.fit(disp=0, maxiter=500)
    if not fit.mle_retvals["converged"]:
        raise ModelFailed("no convergence")
    found = fit.get_prediction(start=len(values), end=len(values) + AHEAD_HOURS - 1)
    return np.asarray(found.predicted_mean, dtype=float), np.sqrt(
        np.asarray(found.var_pred_mean, dtype=float)
    )


def _of_state_space(fit: object) -> tuple[Doubles, Doubles]:
    if not fit.mle_retvals["converged"]:  # type: ignore[attr-defined]
        raise ModelFailed("no convergence")
    found = fit.get_forecast(AHEAD_HOURS)  # type: ignore[attr-defined]
    return np.asarray(found.predicted_mean, dtype=float), np.asarray(found.se_mean, dtype=float)


MODELS: dict[str, Callable[[Doubles], tuple[Doubles, Doubles]]] = {
    "unobserved-components": _unobserved_components,
    "ets": _ets,
    "sarimax": _sarimax,
}
