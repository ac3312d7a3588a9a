"""What a person wants to see of a decomposition: the trend by day, the usual day, the usual week, how much is left."""

from typing import Any

import numpy as np

from cme.core.durations import HOUR_MS
from predictor.models.decompose import DAY_HOURS, WEEK_HOURS, Doubles, decompose

_MONDAY = 3 * DAY_HOURS  # 1970-01-05 was a Monday, so that hour 0 of a week is Monday 00:00 UTC


def parts_of(last_end_ms: int, hours: Doubles) -> dict[str, Any]:
    """Of hourly means [hours] up to an end, as JSON has it: `day` [24] and `week` [7] are deviations from the
    trend by hour (UTC) and by weekday from Monday on, `rest` [24] standard deviations by hour. Raises InvalidInput.
    """
    hours = hours[np.argmax(np.isfinite(hours)) :]  # a younger series begins later
    parts = decompose(hours)
    starts = last_end_ms // HOUR_MS - len(hours) + np.arange(len(hours))
    hour, weekday = starts % DAY_HOURS, (starts + _MONDAY) % WEEK_HOURS // DAY_HOURS
    return {
        "strengths": {name: round(strength, 3) for name, strength in parts.strengths.items()},
        "trend": [
            _number(np.nanmean(day)) for day in np.array_split(parts.trend, max(1, len(hours) // DAY_HOURS))
        ],
        "day": [_number(np.nanmean(parts.day[hour == one])) for one in range(DAY_HOURS)],
        "week": [
            _number(np.nanmean(parts.week[weekday == one])) if np.any(weekday == one) else None
            for one in range(7)
        ],
        "rest": [_number(np.nanstd(parts.rest[hour == one])) for one in range(DAY_HOURS)],
    }


def _number(value: Any) -> float | None:
    """Five digits are more than a person reads; None for nothing."""
    return float(f"{float(value):.5g}") if np.isfinite(value) else None
