"""Workloads before a real controller, for as long as it takes it to decide often enough."""

import base64
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from adapter.hpa.arithmetic import INT32_MAX
from adapter.hpa.controller import SCALE_TO_ZERO, Controller
from cme.core.durations import SECOND_MS
from tests.e2e.components.certificates import Authority
from tests.e2e.components.control_plane import ControlPlane, Make
from tests.e2e.components.kube import Json, KubeError
from tests.e2e.components.waiting import until
from tests.e2e.hpa_live import audit, generator, manifests, wire
from tests.e2e.hpa_live.decisions import Decision, decided
from tests.e2e.hpa_live.metrics_server import MetricsServer, serving
from tests.e2e.hpa_live.workload import Workload

CONTROLLER = Controller(
    version="1.36",
    gates={SCALE_TO_ZERO: True},
    downscale_stabilization_ms=4 * SECOND_MS,
    cpu_initialization_ms=10 * SECOND_MS,
    initial_readiness_ms=3 * SECOND_MS,
)
"""The model of the controller that runs."""

_FLAG = "--horizontal-pod-autoscaler-"
MAKE = Make(
    controllers=(
        "--controllers=horizontal-pod-autoscaler-controller,serviceaccount-controller",
        f"{_FLAG}sync-period=500ms",
        f"{_FLAG}tolerance={CONTROLLER.tolerance}",
        f"{_FLAG}downscale-stabilization={CONTROLLER.downscale_stabilization_ms}ms",
        f"{_FLAG}cpu-initialization-period={CONTROLLER.cpu_initialization_ms}ms",
        f"{_FLAG}initial-readiness-delay={CONTROLLER.initial_readiness_ms}ms",
        "--kube-api-qps=1000",  # its own limit would let the steps of a hundred HPAs wait
        "--kube-api-burst=1000",
    ),
    gates=(SCALE_TO_ZERO,),
    audited=audit.RULES,
    runs_pods=False,
)
NAMESPACE, SERVICE = "metrics", "metrics"
HANDS = 4
TIMEOUT_S = 300


@dataclass(frozen=True)
class Stage:
    plane: ControlPlane
    server: MetricsServer


@contextmanager
def stage(folder: Path, seed: int) -> Iterator[Stage]:
    """The control plane, and a metrics server that it knows as all three metrics APIs. Raises ComponentFailed."""
    authority = Authority(folder, "serving-ca")
    pair = authority.issue("serving", hosts=(f"{SERVICE}.{NAMESPACE}.svc", "localhost"))
    server = MetricsServer(seed)
    with serving(server, pair) as port, ControlPlane(folder, MAKE) as plane:
        for manifest in _behind_a_service(port, authority.certificate.read_bytes()):
            plane.kube.apply(manifest)
        yield Stage(plane, server)


def _behind_a_service(port: int, authority: bytes) -> Iterator[Json]:
    metadata = {"name": SERVICE, "namespace": NAMESPACE}
    outside = {"type": "ExternalName", "externalName": "localhost"}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": outside}
    for served in (wire.CUSTOM, wire.EXTERNAL, wire.RESOURCES):
        group, version = served.split("/")
        yield {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"{version}.{group}"},
            "spec": {
                "group": group,
                "version": version,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "service": {**metadata, "port": port},
                "caBundle": base64.b64encode(authority).decode(),
            },
        }


Played = list[tuple[Workload, list[Decision]]]


def play(on: Stage, seed: int, hpas: int, decisions: int) -> Played:
    """At least so many decisions for so many HPAs, in a namespace of their own."""
    namespace = f"live-{seed}"
    drawn = generator.workloads(seed, hpas, time.time_ns() // 1_000_000)
    _put_up(on, namespace, drawn)
    answers = on.server.answer_for(drawn)
    kube, path = on.plane.kube, f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    for one in drawn:
        kube.post(path, manifests.hpa(one, namespace))
    # Each step asks for its first metric once, and the last step of each HPA may not be complete.
    enough = decisions + hpas
    _disturb(on, namespace, drawn, Random(seed), lambda: sum(one.index == 0 for one in answers) >= enough)
    kube.delete(path)
    calls = audit.calls(on.plane.audit_log, namespace)
    return [(one, decided(one, calls.get(one.name, []), answers)) for one in drawn]


def _put_up(on: Stage, namespace: str, drawn: list[Workload]) -> None:
    kube = on.plane.kube
    kube.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    until("pods can be made", lambda: _exists(on, path), 30)
    with ThreadPoolExecutor(HANDS) as hands:
        for _ in hands.map(lambda one: _make(on, namespace, one), drawn):
            pass


def _exists(on: Stage, path: str) -> bool:
    try:
        return bool(on.plane.kube.get(path))
    except KubeError:
        return False


def _make(on: Stage, namespace: str, workload: Workload) -> None:
    """Pods first, for the controller should know them when it decides."""
    kube, pods = on.plane.kube, f"/api/v1/namespaces/{namespace}/pods"
    for pod in workload.pods:
        kube.post(pods, manifests.pod(workload, pod, namespace))
        kube.merge(f"{pods}/{pod.name}/status", manifests.pod_status(pod))
        if pod.deleted:
            kube.delete(f"{pods}/{pod.name}")
    deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    kube.post(deployments, manifests.deployment(workload, namespace))
    kube.merge(f"{deployments}/{workload.name}/status", {"status": {"replicas": workload.replicas}})


def _disturb(
    on: Stage, namespace: str, drawn: list[Workload], random: Random, done: Callable[[], bool]
) -> None:
    """Until it is done, let running replicas follow the wanted ones or not, and sometimes scale by hand."""
    kube, deployments = on.plane.kube, f"/apis/apps/v1/namespaces/{namespace}/deployments"

    def look() -> bool:
        workload = random.choice(drawn)
        path = f"{deployments}/{workload.name}"
        wanted = kube.get(path)["spec"]["replicas"]
        running = wanted if random.random() < 0.7 else random.randint(0, wanted + 2)
        kube.merge(f"{path}/status", {"status": {"replicas": running}})
        if random.random() < 0.1:
            beyond = min(workload.spec.max_replicas + 1, INT32_MAX)
            size = random.choice((0, 1, max(0, workload.spec.min_replicas - 1), beyond))
            kube.merge(f"{path}/scale", {"spec": {"replicas": size}})
        return done()

    until("the controller has asked often enough", look, TIMEOUT_S)
