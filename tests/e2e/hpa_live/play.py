"""Workloads on the stage, for as long as it takes the controller to decide often enough."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random

from adapter.hpa.arithmetic import INT32_MAX
from tests.e2e.components.kube import Json, KubeError
from tests.e2e.components.waiting import until
from tests.e2e.hpa_live import audit, generator, manifests
from tests.e2e.hpa_live.decisions import Applied, Decision, decided
from tests.e2e.hpa_live.stage import Stage
from tests.e2e.hpa_live.workload import Workload

HANDS = 4
TIMEOUT_S = 300

Played = list[tuple[Workload, list[Decision]]]


def play(on: Stage, seed: int, hpas: int, decisions: int) -> Played:
    """At least so many decisions for so many HPAs, in a namespace of their own."""
    drawn = generator.workloads(seed, hpas, time.time_ns() // 1_000_000)
    scene = _Scene(on, f"live-{seed}", Random(seed))
    scene.put_up(drawn)
    answers = on.server.answer_for(drawn)
    for one in drawn:
        scene.apply(one, 0)
    # Each step asks for its first metric once, and the last step of each HPA may not be complete.
    enough = decisions + hpas
    scene.disturb(drawn, lambda: sum(one.index == 0 for one in answers) >= enough)
    on.plane.kube.delete(f"/apis/autoscaling/v2/namespaces/{scene.namespace}/horizontalpodautoscalers")
    steps = audit.steps(on.plane.audit_log, scene.namespace)
    return [(one, decided(one, steps.get(one.name, []), answers, scene.applied)) for one in drawn]


@dataclass
class _Scene:
    on: Stage
    namespace: str
    random: Random
    applied: list[Applied] = field(default_factory=list)

    def put_up(self, drawn: list[Workload]) -> None:
        """All but the HPAs."""
        self.on.plane.kube.post("/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        account = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/default"
        until("pods can be made", lambda: self._found(account), 30)
        with ThreadPoolExecutor(HANDS) as hands:
            for _ in hands.map(self._make, drawn):
                pass

    def apply(self, workload: Workload, which: int) -> None:
        """Give its HPA the spec of that index."""
        begun_ms = time.time() * 1000
        self.on.plane.kube.apply(manifests.hpa(workload, which, self.namespace))
        self.applied.append(Applied(workload.name, which, begun_ms, time.time() * 1000))

    def disturb(self, drawn: list[Workload], done: Callable[[], bool]) -> None:
        """Until it is done, take one workload after the other, and change something beside the controller."""

        def look() -> bool:
            self._change(self.random.choice(drawn))
            return done()

        until("the controller has decided often enough", look, TIMEOUT_S)

    def _make(self, workload: Workload) -> None:
        """Pods first, for the controller should know them when it decides."""
        kube, pods = self.on.plane.kube, f"/api/v1/namespaces/{self.namespace}/pods"
        for pod in workload.pods:
            kube.post(pods, manifests.pod(workload, pod, self.namespace))
            kube.merge(f"{pods}/{pod.name}/status", manifests.pod_status(pod))
            if pod.deleted:
                kube.delete(f"{pods}/{pod.name}")
        self._deploy(workload)

    def _deploy(self, workload: Workload) -> None:
        self.on.plane.kube.post(self._deployments, manifests.deployment(workload, self.namespace))
        self._run(workload, workload.replicas)

    @property
    def _deployments(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments"

    def _change(self, workload: Workload) -> None:
        """Mostly the running replicas, which follow the wanted ones or don't."""
        path = f"{self._deployments}/{workload.name}"
        found = self._found(path)
        if found is None:
            self._deploy(workload)
            return
        wanted = found["spec"]["replicas"]
        self._run(workload, wanted if self.random.random() < 0.7 else self.random.randint(0, wanted + 2))
        draw = self.random.random()
        if draw < 0.05:
            self.on.plane.kube.delete(path)
        elif draw < 0.15 or (wanted == 0 and draw < 0.5):
            self._scale(workload)
        elif draw > 0.85:
            self.apply(workload, self.random.randrange(generator.SPECS))

    def _run(self, workload: Workload, replicas: int) -> None:
        path = f"{self._deployments}/{workload.name}/status"
        self.on.plane.kube.merge(path, {"status": {"replicas": replicas}})

    def _scale(self, workload: Workload) -> None:
        """By hand, to none, a few, or just out of an HPA's bounds."""
        spec = self.random.choice(workload.specs)
        beyond = min(spec.max_replicas + 1, INT32_MAX)
        size = self.random.choice((0, 1, 4, max(0, spec.min_replicas - 1), beyond))
        path = f"{self._deployments}/{workload.name}/scale"
        self.on.plane.kube.merge(path, {"spec": {"replicas": size}})

    def _found(self, path: str) -> Json | None:
        try:
            return self.on.plane.kube.get(path)
        except KubeError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None
