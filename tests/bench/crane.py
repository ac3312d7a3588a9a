"""Crane's forecast, near enough to be compared with: a period of a day or a week, its harmonics, the largest of an hour.

After gocrane's DSP as its documentation and code tell it: the history of up to 15 days, refitted every 12 hours; the period is
that of the two with the higher circular autocorrelation, if that is a peak; the strongest harmonics are kept and the last
period is repeated, with a margin chosen on the last one. What is served is the largest of the next hour.
"""

import numpy as np
from numpy.typing import NDArray

from adapter.replay.forecasts import Forecasts
from adapter.replay.load import Load, minutes_of
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from predictor.grid import L, Q

Doubles = NDArray[np.float64]

DAY = DAY_MS // MINUTE_MS
WEEK = 7 * DAY
HISTORY = 15 * DAY
REFIT = 12 * HOUR_MS // MINUTE_MS
MARGINS = (0.01, 0.10, 0.15, 0.20)
MOST_HARMONICS = 100
AHEAD = HOUR_MS // MINUTE_MS


def crane(load: Load, since_ms: int) -> Forecasts:
    """The largest of the next hour at each minute after `since_ms`; NaN while nothing is periodic."""
    ends = minutes_of(load)
    values = _filled(load.mean(ends, MINUTE_MS)[0])
    first = int(np.searchsorted(ends, since_ms, side="right"))
    served = np.full(len(ends) - first, np.nan)
    for start in range(first, len(ends), REFIT):
        stop = min(start + REFIT, len(ends))
        ahead = _forecast(values[max(0, start - HISTORY) : start], REFIT + AHEAD)
        if ahead is not None:
            largest = np.lib.stride_tricks.sliding_window_view(ahead, AHEAD).max(axis=1)
            served[start - first : stop - first] = largest[: stop - start]
    kept = ends[first:]
    cells = np.broadcast_to(served, (L, Q, len(kept))).astype(np.float32)
    nothing = np.zeros(len(kept), dtype=np.uint32)
    return Forecasts(kept, cells, nothing, nothing)


def _forecast(history: Doubles, count: int) -> Doubles | None:
    period = _period(history)
    if period is None:
        return None
    whole = history[len(history) % period :]
    margin = min(
        MARGINS,
        key=lambda one: _loss(_repeated(whole[:-period], period, period) * (1 + one), whole[-period:]),
    )
    return _repeated(whole, period, count) * (1 + margin)


def _period(history: Doubles) -> int | None:
    """Two whole ones at least; the higher autocorrelation counts, and it must be a peak within four hours."""
    found: list[tuple[float, int]] = []
    for period in (DAY, WEEK):
        if len(history) < 2 * period:
            continue
        whole = history[len(history) % period :]
        spectrum = np.abs(np.fft.rfft(whole - whole.mean())) ** 2
        correlation = np.fft.irfft(spectrum, len(whole)) / max(float(spectrum.sum()) / len(whole) * 2, 1e-12)
        reach = 4 * 60
        around = correlation[period - reach : period + reach + 1]
        if len(around) == 2 * reach + 1 and around[reach] > max(around[0], around[-1]):
            found.append((float(around[reach]), period))
    return max(found)[1] if found else None


def _repeated(whole: Doubles, period: int, count: int) -> Doubles:
    """The last period of what its strongest harmonics make of the history, again and again."""
    spectrum = np.fft.rfft(whole)
    sizes = np.abs(spectrum)
    weak = sizes < np.sort(sizes)[::-1][:MOST_HARMONICS][-1]
    smooth = np.fft.irfft(np.where(weak, 0, spectrum), len(whole))
    return np.maximum(np.resize(smooth[-period:], count), 0.01)


def _loss(forecast: Doubles, actual: Doubles) -> float:
    """Of what is too low -ln(1 - e) / ln 1.25 of the relative error, of what is too high the error."""
    error = (actual - forecast) / np.maximum(actual, 1e-3)
    low = -np.log(1 - np.clip(error, 0, 0.999)) / np.log(1.25)
    return float(np.where(error > 0, low, -error).mean())


def _filled(values: Doubles) -> Doubles:
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), known, values[known]) if len(known) else np.zeros(len(values))
