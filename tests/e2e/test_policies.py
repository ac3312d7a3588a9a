"""ScalingPolicy objects in a real API server: refused at the door, in effect, told what became of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cme.core.documents import parse_document
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from tests.e2e import policies, workloads
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json, Kube, KubeError
from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process
from tests.e2e.components.waiting import until
from tests.e2e.deployed import Tidecast
from tests.e2e.followed import CUSTOM
from tests.unit.cme.policies.written import document

pytestmark = pytest.mark.e2e

PATH = f"/apis/tidecast.dev/v1alpha1/namespaces/{workloads.NAMESPACE}/scalingpolicies"
NAME = "steady"
FLOOR: Json = {"schedules": [policies.always(3)]}


def policy(name: str = NAME, target: str = NAME, **spec: Any) -> Json:
    return document(name, target, workloads.NAMESPACE, **{"forecast": {"lead": "1s"}, **spec})


@dataclass(frozen=True)
class Cluster:
    """With tidecast, whose file holds no policy."""

    kube: Kube
    tidecast: Tidecast

    def served(self, metric: str = "replicas_schedule") -> str | None:
        """None where there is no such metric."""
        try:
            (item,) = self.kube.items(f"{CUSTOM}/deployments.apps/{NAME}/{metric}")
        except KubeError:
            return None
        return str(item["value"])

    def conditions(self, name: str = NAME) -> dict[str, tuple[str, str]]:
        """Status and reason, of the generation that is written."""
        found = self.kube.get(f"{PATH}/{name}")
        told = found.get("status", {})
        if told.get("observedGeneration") != found["metadata"]["generation"]:
            return {}
        return {one["type"]: (one["status"], one["reason"]) for one in told["conditions"]}

    def serves(self, value: str) -> None:
        until(f"{value} is served", lambda: self.served() == value, 30)

    def events(self) -> list[str]:
        found = self.kube.items(f"/api/v1/namespaces/{workloads.NAMESPACE}/events")
        return [one["reason"] for one in found if one["involvedObject"]["kind"] == "ScalingPolicy"]

    def restart(self) -> None:
        self.tidecast.stop()
        Process.start(self.tidecast)


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    kube = control_plane.kube
    kube.apply(workloads.namespace())
    kube.apply(workloads.deployment(NAME))
    nowhere, other = (f"127.0.0.1:{port}" for port in free_ports(2))
    settings = policies.settings(f"http://{nowhere}", other)
    with Tidecast(tmp_path_factory.mktemp("policies"), control_plane, settings, []) as tidecast:
        yield Cluster(kube, tidecast)
    kube.delete(kube.path(workloads.deployment(NAME)))


@pytest.fixture
def steady(cluster: Cluster) -> Iterator[Cluster]:
    """One policy in effect, with a floor of 3."""
    cluster.kube.apply(policy(**FLOOR))
    cluster.serves("3")
    yield cluster
    cluster.kube.delete(f"{PATH}/{NAME}")
    until("it is withdrawn", lambda: cluster.served() is None, 30)


def test_it_is_told_what_became_of_it(steady: Cluster) -> None:
    """There is no forecast before the first beat of five minutes has ended."""
    until("it is measured", lambda: steady.conditions().get("DataFresh") == ("True", "Fresh"), 60)
    assert steady.conditions()["Ready"] == ("True", "InEffect")
    assert steady.conditions()["ForecastTrusted"] in (("False", "NoForecast"), ("True", "Trusted"))
    until("replicas are told", lambda: steady.kube.get(f"{PATH}/{NAME}")["status"].get("replicas"), 90)
    assert steady.served("qps") is not None
    (row,) = table(steady.kube)["rows"]
    titles = [column["name"] for column in table(steady.kube)["columnDefinitions"]]
    shown = dict(zip(titles, row["cells"], strict=True))
    assert shown["Workload"] == NAME
    assert int(shown["Replicas"]) >= 3
    assert "forecast" in shown["Why"] or "raw" in shown["Why"]
    assert (shown["Ready"], shown["DataFresh"]) == ("True", "True")
    assert shown["ForecastTrusted"] in ("True", "False")


def test_a_change_is_in_effect_at_once(steady: Cluster) -> None:
    steady.kube.apply(policy(schedules=[policies.always(5)]))
    steady.serves("5")


def test_what_is_broken_stays_as_it_was_across_a_restart(steady: Cluster) -> None:
    steady.kube.apply(policy(timeZone="Mars/Base", schedules=[policies.always(9)]))
    until("it is told", lambda: steady.conditions().get("Ready") == ("False", "Invalid"), 30)
    until("an event says so", lambda: "Invalid" in steady.events(), 30)
    assert steady.served() == "3"
    steady.restart()
    steady.serves("3")
    assert steady.conditions()["Ready"] == ("False", "Invalid")
    steady.kube.apply(policy(schedules=[policies.always(9)], timeZone="UTC"))
    steady.serves("9")
    until("it is well again", lambda: steady.conditions().get("Ready") == ("True", "InEffect"), 30)


def test_the_younger_of_two_of_a_workload_is_refused(steady: Cluster) -> None:
    steady.kube.apply(policy("usurper", schedules=[policies.always(30)]))
    try:
        until("it is told", lambda: steady.conditions("usurper").get("Ready") == ("False", "Conflict"), 30)
        assert steady.served() == "3"
    finally:
        steady.kube.delete(f"{PATH}/usurper")


def test_who_may_edit_a_namespace_may_write_policies(steady: Cluster) -> None:
    for verb, role in (("create", "edit"), ("list", "view")):
        rules = steady.kube.get(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}")["rules"]
        assert any("scalingpolicies" in rule.get("resources", ()) and verb in rule["verbs"] for rule in rules)


def table(kube: Kube) -> Json:
    """As kubectl asks for it."""
    return kube.get(PATH, "application/json;as=Table;v=v1;g=meta.k8s.io")


FAULTS = [
    ({"schedules": [policies.always(3) | {"end": "0 9 * * *"}]}, "give either duration or end"),
    (
        {"schedules": [{"name": "x", "start": "0 0 * * *", "duration": "1h"}]},
        "needs minReplicas, maxReplicas",
    ),
    ({"schedules": [policies.always(3) | {"maxReplicas": 2}]}, "minReplicas is more than maxReplicas"),
    ({"limits": {"minReplicas": 3, "maxReplicas": 2}}, "minReplicas is more than maxReplicas"),
    ({"schedules": [policies.always(3), policies.always(4)]}, "Duplicate value"),
    ({"schedules": [policies.always(3) | {"duration": 5}]}, "must be of type string"),
    ({"forecast": {"quantile": 0.9, "slo": {"short": "1%"}}}, "give one of quantile, cost and slo"),
    ({"forecast": {"quantile": 0.3}}, "greater than or equal to 0.5"),
    ({"forecast": {"cost": {"short": 0, "over": 1}}}, "greater than 0"),
    ({"forecast": {"models": ["prophet"]}}, "Unsupported value"),
    ({"scaleDown": {"maxDecrease": "10%"}}, "should match"),
    ({"signals": []}, "should have at least 1 items"),
    ({"signals": [{"name": "Q", "source": {"demo": {"load": "tide"}}, "perReplica": 1}]}, "should match"),
    ({"signals": [{"name": "q", "source": {}, "perReplica": 1}]}, "at least 1 properties"),
    (
        {
            "signals": [
                {
                    "name": "q",
                    "source": {"demo": {"load": "tide"}, "host": {"direction": "in"}},
                    "perReplica": 1,
                }
            ]
        },
        "at most 1",
    ),
]


@pytest.mark.parametrize(("spec", "told"), FAULTS)
def test_what_the_door_refuses_the_models_refuse_too(spec: Json, told: str, cluster: Cluster) -> None:
    with pytest.raises(KubeError, match=told) as refused:
        cluster.kube.post(f"{PATH}?dryRun=All", policy("tried", **spec))
    assert refused.value.status == 422
    with pytest.raises(InvalidInput):
        parse_document(ScalingPolicy, policy("tried", **spec), "tried")


WHOLE: Json = {
    "timeZone": "Asia/Shanghai",
    "holidays": ["2026-10-01"],
    "signals": [
        {"name": "qps", "source": {"demo": {"load": "bursts"}}, "perReplica": "1500m", "saturatedAbove": 9},
        {
            "name": "jobs",
            "drain": {"within": "10m", "arrivals": "qps"},
            "source": {"kafka": {"connection": "j", "topic": "t", "group": "g"}},
            "perReplica": 40,
        },
        {
            "name": "bandwidth_in",
            "source": {"host": {"direction": "in", "interfaces": ["eth0"]}},
            "perReplica": "1M",
        },
        {
            "name": "pages",
            "source": {
                "scrape": {"targets": ["http://a/metrics"], "metric": "x_total", "labels": {"a": "b"}}
            },
            "perReplica": 1,
        },
        {
            "name": "asked",
            "source": {"prometheus": {"connection": "m", "query": "up", "workloadLabel": "app"}},
            "perReplica": "0.5",
        },
    ],
    "forecast": {"cost": {"short": 20, "over": 0.5}, "lead": "1h30m", "models": ["ets"]},
    "scaleUp": {"tolerance": 0},
    "scaleDown": {"window": "0s", "maxDecrease": "2.5%/1m", "hold": "30m"},
    "limits": {"minReplicas": 0, "maxReplicas": 40},
    "schedules": [
        {
            "name": "night",
            "start": "0 22 * * *",
            "end": "0 6 * * *",
            "timeZone": "Europe/Berlin",
            "skipHolidays": True,
            "ramp": "30m",
            "minReplicas": 4,
            "maxReplicas": 9,
        }
    ],
}


def test_what_the_models_take_passes_the_door_whole(cluster: Cluster) -> None:
    written = policy("tried", **WHOLE)
    taken = cluster.kube.post(f"{PATH}?dryRun=All&fieldValidation=Strict", written)
    assert taken["spec"] == written["spec"]
    model = parse_document(ScalingPolicy, written, "tried")
    shown = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert cluster.kube.post(f"{PATH}?dryRun=All&fieldValidation=Strict", shown)["spec"] == shown["spec"]


PLURAL, KIND, GROUP = "gateways", "Gateway", "tidecast.test"
"""Kubernetes' rule would guess gatewaies."""


def definition() -> Json:
    """A kind of somebody else's that can be scaled."""
    replicas = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
    status = {
        "type": "object",
        "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}},
    }
    schema = {"type": "object", "properties": {"spec": replicas, "status": status}}
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}, "scale": scale},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": KIND, "plural": PLURAL},
            "versions": [version],
        },
    }


def reader() -> list[Json]:
    """The rule of its own that deploy/README.md asks for, without the right to list."""
    group = "rbac.authorization.k8s.io"
    name = f"tidecast-{PLURAL}"
    rules = [{"apiGroups": [GROUP], "resources": [f"{PLURAL}/scale"], "verbs": ["get"]}]
    role = {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
    account = {"kind": "ServiceAccount", "name": "tidecast", "namespace": "tidecast"}
    reference = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    binding = role | {"kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [account]}
    del binding["rules"]
    return [role, binding]


def test_any_kind_with_a_scale_subresource_is_scaled_by_the_real_hpa(cluster: Cluster) -> None:
    kube, target = cluster.kube, {"apiVersion": f"{GROUP}/v1", "kind": KIND, "name": "edge"}
    gateways = f"/apis/{GROUP}/v1/namespaces/{workloads.NAMESPACE}/{PLURAL}"
    for manifest in (definition(), *reader()):
        kube.apply(manifest)
    until("its kind is served", lambda: is_served(kube, gateways), 30)
    kube.post(gateways, target | {"metadata": {"name": "edge"}, "spec": {"replicas": 1}})
    kube.merge(f"{gateways}/edge/status", {"status": {"replicas": 1, "selector": "app=edge"}})
    kube.apply(policy("edge", targetRef=target, schedules=[policies.always(7)]))
    path = f"{CUSTOM}/{PLURAL}.{GROUP}/edge/replicas_schedule"
    until("it goes by its plural", lambda: is_served(kube, path), 60)
    with pytest.raises(
        KubeError, match="labels are not known; does it exist, and may tidecast list gateways"
    ):
        kube.get(
            f"{CUSTOM}/{PLURAL}.{GROUP}/*/replicas_schedule?labelSelector=app"
        )  # the rule lets it read scales alone
    described = {"describedObject": target, "metric": {"name": "replicas_schedule"}}
    metric = {
        "type": "Object",
        "object": described | {"target": {"type": "AverageValue", "averageValue": "1"}},
    }
    autoscaler = workloads.hpa("edge", [metric])
    autoscaler["spec"]["scaleTargetRef"] = target
    kube.apply(autoscaler)
    try:
        until("it has 7", lambda: kube.get(f"{gateways}/edge")["spec"]["replicas"] == 7, 60)
    finally:
        kube.delete(kube.path(autoscaler))
        kube.delete(f"{PATH}/edge")
        kube.delete(kube.path(definition()))


def is_served(kube: Kube, path: str) -> bool:
    try:
        kube.get(path)
    except KubeError:
        return False
    return True
