"""tidecast's own metrics; docs/metrics.md describes each, and a test holds the two together."""

import contextlib

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from cme.runtime.reflector import WatchTelemetry

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


_COMPARED = {
    "coverage": "Share of truths that the .95 quantile covered over a day, median series",
    "baseline_coverage": "The same of the last value with its own conformal quantile, the opponent",
    "loss_ratio": "Pinball loss of the .95 quantile as a ratio to the opponent's, median series",
    "over_ratio": "What the .95 quantile provided in vain as a ratio to the opponent's, median series",
    "bias_ratio": "Truth less median forecast as a share of the load, median series",
}


class _Metrics:
    """Makes metrics of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)

    def watch(self, name: str, what: str) -> WatchTelemetry:
        lists = f"Lists of all {what}: at the start, and where a watch could not go on"
        success = f"1 if the last watch of {what} succeeded, else 0 (or no cluster)"
        return WatchTelemetry(
            self.counter(f"{name}_lists_total", lists), self.gauge(f"{name}_watch_success", success)
        )

    def seconds(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=_SECONDS, registry=self._registry)


class CollectorTelemetry:
    """What the collector says of itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        new = _Metrics(registry)
        self.source_seconds = new.seconds(
            "tidecast_source_read_seconds", "Time of one read of a source", "source"
        )
        self.source_success = new.gauge(
            "tidecast_source_success", "1 if the source's last read succeeded, else 0", "source"
        )
        self.source_last_success = new.gauge(
            "tidecast_source_last_success_timestamp_seconds",
            "When the source was last read with success",
            "source",
        )
        self.refused = new.counter(
            "tidecast_samples_refused_total", "Values that were not used, by reason", "reason"
        )
        self.coverage = new.gauge(
            "tidecast_signal_coverage", "Share of a signal's parts that answered", "workload", "signal"
        )
        self.late = new.counter(
            "tidecast_samples_late_total", "Samples that came after their minute had been corrected"
        )
        self.unwritten = new.gauge(
            "tidecast_batches_unwritten", "Batches that the log refused and that wait for the next tick"
        )
        self.skipped = new.counter(
            "tidecast_ticks_skipped_total", "Ticks left out because the one before took too long"
        )
        self.dropped = new.counter(
            "tidecast_batches_dropped_total",
            "Batches given up because too much waited, the oldest first",
            "topic",
        )
        self.buffer_dropped = new.counter(
            "tidecast_buffer_dropped_total",
            "Batches that the buffer on disk had no room for, the oldest first",
            "topic",
        )
        self.replicas_failed = new.counter(
            "tidecast_replicas_failed_total",
            "Questions for a workload's replicas that the cluster did not answer",
        )
        self.policies = new.gauge("tidecast_policies", "Policies, by what became of them", "state")
        self.policy_objects = new.watch("tidecast_policy", "policies")
        self.statuses = new.counter(
            "tidecast_policy_statuses_total", "Statuses of policies written to the cluster"
        )
        self.statuses_failed = new.counter(
            "tidecast_policy_statuses_failed_total", "Statuses of policies that the cluster did not take"
        )
        self.configuration_valid = new.gauge(
            "tidecast_configuration_valid",
            "1 if the file of settings and policies is as it should be, else 0",
        )
        self.faults = new.counter("tidecast_collector_faults_total", "Turns of the collector that failed")

    def forget_source(self, name: str) -> None:
        """Its metrics end with it."""
        for metric in (self.source_seconds, self.source_success, self.source_last_success):
            with contextlib.suppress(KeyError):  # it was never read
                metric.remove(name)


class PredictorTelemetry:
    """What the predictor says of itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        new = _Metrics(registry)
        self.decide_seconds = new.seconds(
            "tidecast_decide_seconds", "Time of one decision over all workloads"
        )
        self.step_seconds = new.seconds(
            "tidecast_engine_step_seconds", "Time of one learning step over all series"
        )
        self.learned = new.gauge(
            "tidecast_engine_learned_ratio",
            "Share of the past that has been learned; below 1 a start without a checkpoint is still at it",
        )
        self.series = new.gauge("tidecast_engine_series", "Series that the engine forecasts")
        cell = ("target", "lead")
        self.compared = new.gauge(
            "tidecast_forecast_compared_series",
            "Series with forecasts that were compared with what happened",
            *cell,
        )
        self.untrusted = new.gauge(
            "tidecast_forecast_untrusted_series",
            "Series whose forecast is not trusted, by cause",
            *cell,
            "cause",
        )
        self.trust = {
            name: new.gauge(f"tidecast_forecast_{name}", text, *cell) for name, text in _COMPARED.items()
        }
        """Medians over the series, of the last day."""
        self.shifts = new.counter(
            "tidecast_engine_shifts_total", "Level shifts of series that were found since the start"
        )
        self.faults = new.counter("tidecast_predictor_faults_total", "Turns of the predictor that failed")
        self.damages = new.counter(
            "tidecast_log_damaged_records_total", "Records of the log that could not be read"
        )
        self.model_fits = new.counter(
            "tidecast_model_fits_total", "Fits of classical models to a series", "model"
        )
        self.model_failures = new.counter(
            "tidecast_model_failures_total", "Fits that gave nothing, by reason", "model", "reason"
        )
        self.model_seconds = new.seconds(
            "tidecast_model_fit_seconds", "Time of one fit, from question to answer", "model"
        )
        places = ("workload", "signal", "model", "lead")
        self.model_weight = new.gauge(
            "tidecast_model_weight", "Share of a classical model in the .95 quantile that is served", *places
        )
        self.model_loss_ratio = new.gauge(
            "tidecast_model_loss_ratio",
            "Loss of a classical model's .95 quantile as a ratio to the engine's",
            *places,
        )


class RoleTelemetry:
    """What a role on a shared log says of itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        new = _Metrics(registry)
        self.partitions = new.gauge(
            "tidecast_partitions", "Partitions of the log that this process works on", "role"
        )
        self.faults = new.counter(
            "tidecast_role_faults_total", "Looks at the group, and works on a partition, that failed", "role"
        )


class AdapterTelemetry:
    """What the adapter says of itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        new = _Metrics(registry)
        self.requests = new.counter(
            "tidecast_http_requests_total", "Requests answered, by API and status code", "api", "code"
        )
        self.seconds = new.seconds("tidecast_http_request_seconds", "Time to answer a request", "api")
        self.view_age = new.gauge(
            "tidecast_view_age_seconds", "Age of the newest decision that the adapter holds"
        )
        self.faults = new.counter(
            "tidecast_adapter_faults_total", "Reads of the log that failed in the adapter"
        )
        self.damages = new.counter(
            "tidecast_adapter_damaged_records_total", "Records of the log that the adapter could not read"
        )
        self.connections_refused = new.counter(
            "tidecast_connections_refused_total", "Connections closed for being too many or too slow"
        )
        self.certificate_expires = new.gauge(
            "tidecast_serving_certificate_expiry_timestamp_seconds", "When the metrics API's certificate ends"
        )
        self.pods = new.watch("tidecast_pod", "pods")
        self.registration_success = new.gauge(
            "tidecast_registration_success",
            "1 if the last look found every group that the settings name free or ours, else 0 (or none named)",
        )
        self.foreign_apiservices = new.gauge(
            "tidecast_foreign_apiservices",
            "Versions of a group that the settings name and that another server has",
            "group",
        )
