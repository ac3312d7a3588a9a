"""Forms of values that both groups share."""

from datetime import UTC, datetime
from functools import lru_cache


def rfc3339(time_ms: int) -> str:
    """metav1.Time: UTC, whole seconds."""
    return _second(time_ms // 1000)


@lru_cache(256)  # what was measured at one tick is asked for thousands of times
def _second(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
