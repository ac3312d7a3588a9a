"""The stage of the scenario: tidecast installed, four Deployments with their HPAs, and load to turn up and down."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e import policies, workloads
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.jobs import SlowGroup, produce
from tests.e2e.components.kafka import Kafka
from tests.e2e.components.kube import Json
from tests.e2e.components.load import Load
from tests.e2e.components.monitored import Monitored
from tests.e2e.components.prometheus import Prometheus
from tests.e2e.deployed import Tidecast
from tests.e2e.followed import Followed, by_external, by_object, by_pods

FLOOR = 4


@dataclass(frozen=True)
class Scene:
    plane: ControlPlane
    tidecast: Tidecast
    prometheus: Prometheus
    pages: Load
    bulk: Load
    workers: SlowGroup
    queue: str
    """Kafka's address."""

    web: Followed
    """By an Object metric, replicas_scaling, from requests per second."""
    stream: Followed
    """By a Pods metric, from bandwidth."""
    jobs: Followed
    """By an External metric, from a backlog."""
    shop: Followed
    """By two Object metrics: its signal never asks for more than one replica, its schedule for FLOOR."""

    def add_jobs(self, count: int) -> None:
        produce(self.queue, policies.TOPIC, count)


@contextmanager
def scene(
    folder: Path, plane: ControlPlane, kafka: Kafka, monitored: Monitored, wiring: type[Tidecast] = Tidecast
) -> Iterator[Scene]:
    """Raises ComponentFailed, KubeError."""
    kube = plane.kube
    produce(kafka.address, policies.TOPIC, 1)  # makes the topic
    settings = policies.settings(monitored.prometheus.address, kafka.address)
    with (
        Load(monitored.nginx.port, "/") as pages,
        Load(monitored.nginx.port, "/bulk") as bulk,
        SlowGroup(kafka.address, policies.TOPIC, policies.GROUP) as workers,
        wiring(folder, plane, settings, _documents()) as tidecast,
    ):
        for manifest in _manifests():
            kube.apply(manifest)
        yield Scene(
            plane,
            tidecast,
            monitored.prometheus,
            pages,
            bulk,
            workers,
            kafka.address,
            web=by_object(kube, "web", "replicas_scaling", 1),
            stream=by_pods(kube, "stream", "bandwidth_in_scaling", 1e6),
            jobs=by_external(kube, "jobs", "queue_backlog_scaling", 40),
            shop=by_object(kube, "shop", "replicas_scaling", 1),
        )


def _documents() -> list[Json]:
    requests = policies.from_prometheus(policies.REQUESTS)
    inbound = policies.from_prometheus(policies.INBOUND)
    return [
        policies.policy("web", "qps", requests, "40"),
        policies.policy("stream", "bandwidth_in", inbound, "1M"),
        policies.policy("jobs", "queue_backlog", policies.from_kafka(), "40"),
        policies.policy("shop", "qps", requests, "1k", [policies.always(FLOOR)]),
    ]


def _manifests() -> Iterator[Json]:
    yield workloads.namespace()
    yield from map(workloads.deployment, ("web", "stream", "jobs", "shop"))
    yield workloads.hpa("web", [workloads.object_metric("web", "replicas_scaling", "1")])
    yield workloads.hpa("stream", [workloads.pods_metric("bandwidth_in_scaling", "1M")])
    yield workloads.hpa("jobs", [workloads.external_metric("jobs", "queue_backlog_scaling", "40")])
    both = ("replicas_scaling", "replicas_schedule")
    yield workloads.hpa("shop", [workloads.object_metric("shop", metric, "1") for metric in both])
