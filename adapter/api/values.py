"""Forms of values that both groups share."""

from datetime import UTC, datetime


def rfc3339(time_ms: int) -> str:
    """metav1.Time: UTC, whole seconds."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
