"""What a record of the topic `replicas` says beside what runs: of starts, the name of the kind, and labels."""

import math
from dataclasses import dataclass

from cme.core.batch import Batch


@dataclass(frozen=True, slots=True)
class Startup:
    """How long a replica takes from its creation until it carries load: the .9 quantile of `count` starts, of which
    `steps` are made one after the other."""

    duration_ms: float
    count: int
    steps: int = 1


def replica_key(series: int) -> str:
    """Of the records of a workload, by its series of replicas."""
    return f"{series:016x}"


def recorded_lead_ms(batch: Batch) -> float:
    """How long a new replica takes until it carries load, as learnt; NaN where nothing is, or of an older version."""
    return _number(batch, "lead_ms")


def recorded_quota(batch: Batch) -> float:
    """How many replicas the namespace's whole quota holds: infinite where none bounds them, NaN where that is not known."""
    return _number(batch, "quota")


def recorded_startup(batch: Batch) -> Startup | None:
    """What the lead rests on; None where no start has been seen."""
    duration_ms = _number(batch, "startup_ms")
    if math.isnan(duration_ms):
        return None
    return Startup(duration_ms, int(_number(batch, "startups")), int(_number(batch, "startup_steps")))


def recorded_resource(batch: Batch) -> str:
    """The plural of the workload's kind; "" of an older version."""
    return batch.texts("resource")[0] if "resource" in batch.columns else ""


def recorded_labels(batch: Batch) -> str | None:
    """The workload's own labels as JSON; None where they are not known, or of an older version."""
    return batch.texts("labels")[0] if "labels" in batch.columns else None


def _number(batch: Batch, name: str) -> float:
    return float(batch.numbers(name)[0]) if name in batch.columns else math.nan
