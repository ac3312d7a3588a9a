"""A workload's pods that take load: running, ready and not being deleted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cme.core.batch import Batch
from cme.core.replica_record import recorded_labels, recorded_lead_ms, recorded_quota


@dataclass(frozen=True)
class PodList:
    """Names in ascending order with their labels, and the monotonic moment when the cluster told them.

    `wanted` is how many replicas the workload should have then, ready or not; `lead_ms` how long a new one takes until it
    carries load, `quota` how many the namespace's whole quota holds; NaN where that is not known. `own_labels` are the
    workload's own, as JSON, for they are asked for seldom; None where they are not known.
    """

    names: Sequence[str]
    labels: Mapping[str, Mapping[str, str]]
    wanted: float
    lead_ms: float
    quota: float
    own_labels: str | None
    born: int

    @classmethod
    def of(cls, batch: Batch, born: int) -> "PodList":
        """A record of the topic `replicas`: its text lists distinct label sets, then (name, set) pairs."""
        content = json.loads(batch.texts("pods")[0])
        labels = {name: content["labels"][number] for name, number in content["pods"]}
        wanted = float(batch.numbers("wanted")[0])
        lead_ms, quota = recorded_lead_ms(batch), recorded_quota(batch)
        return cls(sorted(labels), labels, wanted, lead_ms, quota, recorded_labels(batch), born)


def split(milli: int, names: Sequence[str]) -> dict[str, int]:
    """`milli` thousandths split over pods; the parts sum up to it exactly, where there is a pod at all."""
    if not names:
        return {}
    whole, rest = divmod(milli, len(names))
    return {name: whole + (place < rest) for place, name in enumerate(names)}
