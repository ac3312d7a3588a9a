"""What is measured, and known at any time: a load made up from the time, and a counter that is scraped."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cme.core.documents import parse_document
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from tests.chaos.counted import METRIC, Counted
from tests.chaos.machine import MachineClock

PER_REPLICA = {"web": 40.0, "shop": 4.0}


@dataclass(frozen=True)
class Load:
    counted: Counted
    policies: Mapping[str, ScalingPolicy]
    """By workload."""
    clock: MachineClock
    """That samples are stamped with."""

    def signal(self, workload: str) -> int:
        """The series of its only signal."""
        (signal,) = self.policies[workload].spec.signals
        return self.policies[workload].series(signal).id

    def replicas(self, workload: str) -> int:
        """The series of its decided replicas."""
        return SeriesKey(self.policies[workload].workload, "replicas").id

    @property
    def signals(self) -> set[int]:
        return {self.signal(workload) for workload in self.policies}


@contextlib.contextmanager
def measured(clock: MachineClock) -> Iterator[Load]:
    with Counted(clock) as counted:
        yield Load(counted, _policies(counted), clock)


def _policies(counted: Counted) -> dict[str, ScalingPolicy]:
    """`web` with a load made up from the time, without forecasts; `shop` with a counter that is scraped."""
    hits = {"scrape": {"targets": [counted.url], "metric": METRIC}}
    return {
        "web": _policy("web", "qps", {"demo": {"load": "tide"}}, {"tidecast.dev/force-raw": "true"}),
        "shop": _policy("shop", "hits", hits, {}),
    }


def _policy(name: str, signal: str, source: object, annotations: Mapping[str, str]) -> ScalingPolicy:
    document = {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": name, "namespace": "demo", "annotations": annotations},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "signals": [{"name": signal, "source": source, "perReplica": PER_REPLICA[name]}],
        },
    }
    return parse_document(ScalingPolicy, document, name)
