"""tidecast's own metrics; docs/metrics.md describes each, and a test holds the two together."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class CollectorTelemetry:
    """What the collector says of itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.source_seconds = Histogram(
            "tidecast_source_read_seconds",
            "Time of one read of a source",
            ["source"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.source_success = Gauge(
            "tidecast_source_success",
            "1 if the source's last read succeeded, else 0",
            ["source"],
            registry=registry,
        )
        self.source_last_success = Gauge(
            "tidecast_source_last_success_timestamp_seconds",
            "When the source was last read with success",
            ["source"],
            registry=registry,
        )
        self.refused = Counter(
            "tidecast_samples_refused_total",
            "Values that were not used, by reason",
            ["reason"],
            registry=registry,
        )
        self.coverage = Gauge(
            "tidecast_signal_coverage",
            "Share of a signal's parts that answered",
            ["workload", "signal"],
            registry=registry,
        )
        self.late = Counter(
            "tidecast_samples_late_total",
            "Samples that came after their minute had been corrected",
            registry=registry,
        )
        self.unwritten = Gauge(
            "tidecast_batches_unwritten",
            "Batches that the log refused and that wait for the next tick",
            registry=registry,
        )
        self.dropped = Counter(
            "tidecast_batches_dropped_total", "Batches given up because too many waited", registry=registry
        )
        self.replicas_failed = Counter(
            "tidecast_replicas_failed_total",
            "Questions for a workload's replicas that the cluster did not answer",
            registry=registry,
        )
        self.faults = Counter(
            "tidecast_collector_faults_total", "Turns of the collector that failed", registry=registry
        )


class PredictorTelemetry:
    """What the predictor says of itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.decide_seconds = Histogram(
            "tidecast_decide_seconds",
            "Time of one decision over all workloads",
            buckets=_SECONDS,
            registry=registry,
        )
        self.step_seconds = Histogram(
            "tidecast_engine_step_seconds",
            "Time of one learning step over all series",
            buckets=_SECONDS,
            registry=registry,
        )
        self.series = Gauge("tidecast_engine_series", "Series that the engine forecasts", registry=registry)
        self.faults = Counter(
            "tidecast_predictor_faults_total", "Turns of the predictor that failed", registry=registry
        )
        self.damages = Counter(
            "tidecast_log_damaged_records_total",
            "Records of the log that could not be read",
            registry=registry,
        )


class AdapterTelemetry:
    """What the adapter says of itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "tidecast_http_requests_total",
            "Requests answered, by API and status code",
            ["api", "code"],
            registry=registry,
        )
        self.seconds = Histogram(
            "tidecast_http_request_seconds",
            "Time to answer a request",
            ["api"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.view_age = Gauge(
            "tidecast_view_age_seconds",
            "Age of the newest decision that the adapter holds",
            registry=registry,
        )
        self.faults = Counter(
            "tidecast_adapter_faults_total", "Reads of the log that failed in the adapter", registry=registry
        )
