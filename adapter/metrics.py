"""Names of the metrics that a workload has: each signal in four forms, and two of the workload as a whole."""

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache


class Form(Enum):
    """What of a signal a metric shows; the value is its suffix."""

    RAW = ""
    PREDICTED = "_predicted"
    SCALING = "_scaling"
    PER_REPLICA = "_per_replica"


REPLICAS_SCALING = "replicas_scaling"
REPLICAS_SCHEDULE = "replicas_schedule"


@lru_cache(4096)
def parse_metric(name: str) -> tuple[str, Form]:
    """Signal and form of a metric's name. A signal's own name never ends in a suffix (cme.core.identity)."""
    for form in (Form.PREDICTED, Form.SCALING, Form.PER_REPLICA):
        if name.endswith(form.value):
            return name.removesuffix(form.value), form
    return name, Form.RAW


def metric_names(signals: Iterable[str]) -> list[str]:
    """All metrics of a workload with these signals."""
    return [
        REPLICAS_SCALING,
        REPLICAS_SCHEDULE,
        *(f"{signal}{form.value}" for signal in signals for form in Form),
    ]
