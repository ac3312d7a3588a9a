"""The adapter's watch of pods against a real API server, with the rights that deploy/ gives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from prometheus_client import CollectorRegistry

from adapter.running import PODS, RunningPods
from cme.core.clock import SystemClock
from cme.core.errors import KubeFailed, KubeGone
from cme.core.settings import Kubernetes
from cme.kube import KubeClient
from cme.runtime.reflector import RETRY_MS, Reflector
from cme.runtime.tasks import every, stop
from cme.runtime.telemetry import AdapterTelemetry
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json, Kube, write_kubeconfig
from tests.e2e.components.relay import Relay, relay
from tests.e2e.components.waiting import until
from tests.e2e.deployed import DEPLOY
from tests.e2e.workloads import NAMESPACE, deployment, namespace

pytestmark = pytest.mark.e2e

NAME, GROUP = "watcher", "tidecast.test"
ROLE = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{NAME}"
POD_PATH = f"/api/v1/namespaces/{NAMESPACE}/pods"
SELECTOR = f"?labelSelector=app%3D{NAME}"


@dataclass(frozen=True)
class Watching:
    kube: Kube
    relay: Relay
    client: KubeClient
    running: RunningPods
    registry: CollectorRegistry

    async def sees(self, *names: str) -> None:
        """Wait until just these pods of the workload count."""
        all_names = {*names, *(pod["metadata"]["name"] for pod in self.kube.items(POD_PATH + SELECTOR))}
        await becomes(
            f"{names} run", lambda: self.running.among(NAMESPACE, sorted(all_names)) == sorted(names)
        )

    def metric(self, name: str) -> float | None:
        return self.registry.get_sample_value(name)


async def becomes(what: str, look: Callable[[], object]) -> None:
    await asyncio.to_thread(until, what, lambda: bool(look()), 30)


@pytest.fixture
async def watching(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Watching]:
    kube = control_plane.kube
    for manifest in (namespace(), *access()):
        kube.apply(manifest)
    async with relay(urlsplit(kube.address).port or 0) as between:
        address = Kube(f"https://127.0.0.1:{between.port}", kube.ca)
        user = {"token": kube.token_of(NAMESPACE, NAME)}
        client = KubeClient(Kubernetes(kubeconfig=write_kubeconfig(tmp_path / NAME, address, user)))
        registry, clock = CollectorRegistry(), SystemClock()
        running = RunningPods(clock)
        pods = Reflector(client.metadata, PODS, running, clock, AdapterTelemetry(registry).pods)
        faults = list[None]()
        task = asyncio.create_task(every(RETRY_MS, clock, pods.turn, lambda: faults.append(None)))
        try:
            await becomes("pods are known", lambda: running.known)
            yield Watching(kube, between, client, running, registry)
        finally:
            await stop(task)
            client.close()
        assert not faults


def access() -> list[Json]:
    """A service account with the rules of deploy/."""
    role = next(yaml.safe_load_all((DEPLOY / "base" / "cluster-access.yaml").read_text()))
    assert role["kind"] == "ClusterRole"
    group = role["apiVersion"]
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAMESPACE}},
        role | {"metadata": {"name": NAME}},
        {
            "apiVersion": group,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": reference,
            "subjects": [account],
        },
    ]


@asynccontextmanager
async def workload(kube: Kube, kind: str = "Deployment") -> AsyncIterator[list[str]]:
    """Names of two pods that run."""
    manifest = deployment(NAME, replicas=2) | {"kind": kind}
    if kind == "StatefulSet":
        manifest["spec"] |= {"serviceName": NAME}
    kube.apply(manifest)
    path = kube.path(manifest)
    try:
        await becomes("2 pods are ready", lambda: kube.get(path)["status"].get("readyReplicas") == 2)
        yield [pod["metadata"]["name"] for pod in kube.items(POD_PATH + SELECTOR)]
    finally:
        kube.delete(path)
        await becomes("the pods are gone", lambda: not kube.items(POD_PATH + SELECTOR))


async def test_who_is_deleted_leaves(watching: Watching) -> None:
    """Also one that has not gone yet: its finalizer keeps it as the kubelet would."""
    async with workload(watching.kube) as (one, other):
        await watching.sees(one, other)
        watching.kube.merge(f"{POD_PATH}/{one}", {"metadata": {"finalizers": ["tidecast.dev/kept"]}})
        watching.kube.delete(f"{POD_PATH}/{one}")
        await becomes("it left", lambda: watching.running.among(NAMESPACE, [one, other]) == [other])
        assert watching.kube.get(f"{POD_PATH}/{one}")["metadata"]["deletionTimestamp"]
        watching.kube.merge(f"{POD_PATH}/{one}", {"metadata": {"finalizers": None}})


async def test_who_fails_leaves(watching: Watching) -> None:
    async with workload(watching.kube) as (one, other):
        await watching.sees(one, other)
        watching.kube.merge(f"{POD_PATH}/{one}/status", {"status": {"phase": "Failed"}})
        await becomes("it left", lambda: watching.running.among(NAMESPACE, [one, other]) == [other])


async def test_a_pod_that_comes_back_under_its_name_counts_again(watching: Watching) -> None:
    async with workload(watching.kube, "StatefulSet") as (one, other):
        await watching.sees(one, other)
        before = uids(watching.kube)
        watching.kube.delete(f"{POD_PATH}/{one}")
        await becomes("it is another", lambda: uids(watching.kube).get(one, before[one]) != before[one])
        await watching.sees(one, other)


def uids(kube: Kube) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in kube.items(POD_PATH + SELECTOR)}


async def test_a_cut_connection_leaves_no_hole(watching: Watching) -> None:
    """What leaves while it is down is told after it, without another list; so it is after a round's end."""
    async with workload(watching.kube) as (one, other):
        await watching.sees(one, other)
        await becomes("a round is over", lambda: watching.metric("tidecast_pod_watch_success"))
        watching.relay.hold()
        watching.kube.delete(f"{POD_PATH}/{one}")
        await watching.relay.cut()
        watching.relay.go_on()
        await becomes("it left", lambda: watching.running.among(NAMESPACE, [one, other]) == [other])
        assert watching.metric("tidecast_pod_lists_total") == 1


async def test_a_watch_over_tls_ends_when_another_thread_closes_it(watching: Watching) -> None:
    async with workload(watching.kube):
        watch = await asyncio.to_thread(watching.client.watch, f"{PODS}&watch=true", 60)
        events = iter(watch)
        await asyncio.to_thread(next, events)
        rest = asyncio.create_task(asyncio.to_thread(list, events))
        watch.close()
        await asyncio.wait_for(rest, 10)


async def test_a_connection_that_died_in_silence_is_found_out(watching: Watching) -> None:
    watching.relay.hold()
    await becomes("pods are not known", lambda: not watching.running.known)
    watching.relay.go_on()
    await becomes("pods are known", lambda: watching.running.known)


async def test_without_the_right_to_watch_pods_are_not_known(watching: Watching) -> None:
    rules = watching.kube.get(ROLE)["rules"]
    only_list = [rule | {"verbs": ["list"]} if "pods" in rule["resources"] else rule for rule in rules]
    watching.kube.merge(ROLE, {"rules": only_list})
    await becomes("pods are not known", lambda: not watching.running.known)
    assert watching.metric("tidecast_pod_watch_success") == 0
    watching.kube.merge(ROLE, {"rules": rules})
    await becomes("pods are known", lambda: watching.running.known)


async def test_a_past_that_the_server_has_forgotten_is_said_as_such(watching: Watching) -> None:
    """That of a resource which it knows since now: of pods it remembers minutes."""
    watching.kube.apply(relics())
    rule = {"apiGroups": [GROUP], "resources": ["relics"], "verbs": ["watch"]}
    watching.kube.merge(ROLE, {"rules": [*watching.kube.get(ROLE)["rules"], rule]})

    def is_gone() -> bool:
        try:
            list(watching.client.watch(f"/apis/{GROUP}/v1/relics?watch=true&resourceVersion=1", 1))
        except KubeGone:
            return True
        except KubeFailed:  # the right or the resource is not there yet
            return False
        return False

    await becomes("the past is gone", is_gone)


def relics() -> Json:
    schema = {"openAPIV3Schema": {"type": "object"}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"relics.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {"plural": "relics", "kind": "Relic"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
