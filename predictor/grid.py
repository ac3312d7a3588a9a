"""What is forecast: two targets, five leads, four quantiles, on a beat of five minutes.

`at` is the minute mean at origin + lead; `max` is the largest minute maximum in (origin, origin + lead],
which is what capacity must cover.
"""

from cme.core.durations import MINUTE_MS

BEAT_MS = 5 * MINUTE_MS
BEATS_PER_DAY = 288
TARGETS = ("at", "max")
AT, MAX = 0, 1
LEADS_MS = tuple(m * MINUTE_MS for m in (5, 15, 30, 60, 360))
LEAD_BEATS = tuple(ms // BEAT_MS for ms in LEADS_MS)
LONGEST = LEAD_BEATS[-1]
QUANTILES = (0.5, 0.9, 0.95, 0.99)
T, L, Q = len(TARGETS), len(LEADS_MS), len(QUANTILES)


def cell_name(target: int, lead: int, quantile: int) -> str:
    """Column of a cell in the log: `max.15m.q95`."""
    return f"{TARGETS[target]}.{LEADS_MS[lead] // MINUTE_MS}m.q{QUANTILES[quantile] * 100:.0f}"
