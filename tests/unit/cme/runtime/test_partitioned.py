"""Metrics of several partitions are one page that Prometheus understands."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cme.runtime.partitioned import Partitioned
from cme.runtime.telemetry import CollectorTelemetry, PredictorTelemetry


def samples(registry: CollectorRegistry, name: str) -> dict[tuple[str, ...], float]:
    """By the values of the labels in the order of their names, as told in the text format."""
    page = generate_latest(registry).decode()
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name
    }


def test_each_partition_tells_its_own_with_a_label() -> None:
    registry, collectors, predictors = CollectorRegistry(), Partitioned(), Partitioned()
    registry.register(collectors)
    registry.register(predictors)
    first, third = (CollectorTelemetry(collectors.begin(partition)) for partition in (0, 2))
    first.dropped.labels("samples").inc(3)
    third.dropped.labels("samples").inc(5)
    third.source_seconds.labels("a").observe(0.02)
    PredictorTelemetry(predictors.begin(1)).series.set(7)
    assert samples(registry, "tidecast_batches_dropped_total") == {("0", "samples"): 3, ("2", "samples"): 5}
    assert samples(registry, "tidecast_source_read_seconds_count") == {("2", "a"): 1}
    assert samples(registry, "tidecast_engine_series") == {("1",): 7}
    page = generate_latest(registry).decode()
    assert page.count("# TYPE tidecast_batches_dropped_total counter") == 1


def test_a_partition_that_is_left_is_told_no_more_and_begins_anew() -> None:
    registry, partitioned = CollectorRegistry(), Partitioned()
    registry.register(partitioned)
    CollectorTelemetry(partitioned.begin(0)).late.inc()
    partitioned.end(0)
    assert samples(registry, "tidecast_samples_late_total") == {}
    CollectorTelemetry(partitioned.begin(0))
    assert samples(registry, "tidecast_samples_late_total") == {("0",): 0}
