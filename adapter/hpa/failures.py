"""Why a metric gives no number."""

from enum import StrEnum


class Cause(StrEnum):
    UNAVAILABLE = "unavailable"
    """The metrics API answered with an error, or with nothing."""
    NO_PODS = "no_pods"
    """The selector selects none."""
    NONE_USABLE = "no_metrics"
    """No sample is left of pods that count."""
    UNMATCHED = "no_matching_metrics"
    """The pods with samples request nothing."""
    MISSING_REQUEST = "missing_request"
    MISSING_CONTAINER = "missing_container"


class MetricFailed(Exception):
    """No replica count can be computed."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(str(cause))
        self.cause = cause
