"""The settings and policies of the scenario."""

from collections.abc import Sequence

from tests.e2e.components.kube import Json
from tests.e2e.workloads import NAMESPACE

TICK_S, RATE_WINDOW_S = 1, 5
WINDOW_S, SHARE, PERIOD_S = 10, 0.5, 5
"""Of the scale-down: short, so that a test can watch all of it."""

REQUESTS = "sum(rate(nginx_http_requests_total[5s]))"
INBOUND = 'sum(rate(node_network_receive_bytes_total{device="lo"}[5s]))'
TOPIC, GROUP = "jobs", "workers"


def settings(prometheus: str = "http://127.0.0.1:1", kafka: str = "127.0.0.1:1") -> Json:
    """Without addresses nothing answers there."""
    return {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "Settings",
        "tick": f"{TICK_S}s",
        "rateWindow": f"{RATE_WINDOW_S}s",
        "staleAfter": "4s",
        "connections": {"main": {"address": prometheus}, "jobs": {"address": kafka}},
    }


def policy(name: str, signal: str, source: Json, per_replica: str, schedules: Sequence[Json] = ()) -> Json:
    return {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "signals": [{"name": signal, "source": source, "perReplica": per_replica}],
            # The numbers of minutes ago must not outlive the test: a short lead stays near the last value.
            "forecast": {"quantile": 0.9, "lead": "1s"},
            "scaleDown": {"window": f"{WINDOW_S}s", "maxDecrease": f"{SHARE:.0%}/{PERIOD_S}s"},
            "schedules": list(schedules),
        },
    }


def from_prometheus(query: str) -> Json:
    return {"prometheus": {"connection": "main", "query": query}}


def from_kafka() -> Json:
    return {"kafka": {"connection": "jobs", "topic": TOPIC, "group": GROUP}}


def always(min_replicas: int) -> Json:
    """A schedule that is never over."""
    return {"name": "floor", "start": "0 0 * * *", "duration": "24h", "minReplicas": min_replicas}
