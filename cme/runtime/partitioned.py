"""Metrics of several partitions in one process: each has a registry of its own, told with the partition as a label."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector


class Partitioned(Collector):
    """To be registered where the process' metrics are."""

    def __init__(self) -> None:
        self._registries: dict[int, CollectorRegistry] = {}

    def begin(self, partition: int) -> CollectorRegistry:
        """An empty registry for a partition, in place of what it had."""
        self._registries[partition] = CollectorRegistry()
        return self._registries[partition]

    def end(self, partition: int) -> None:
        """Tell nothing of it any more."""
        self._registries.pop(partition, None)

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for partition, registry in sorted(self._registries.items()):
            for one in registry.collect():
                family = families.setdefault(one.name, Metric(one.name, one.documentation, one.type))
                family.samples += [
                    sample._replace(labels={**sample.labels, "partition": str(partition)})
                    for sample in one.samples
                ]
        yield from families.values()
