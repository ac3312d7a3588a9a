"""Reads the facts. What can't be read is a fact, too."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from cryptography import x509

from adapter.access.trust import CONFIG_MAP
from adapter.api.own_certificate import SERVER_FILE, tls_folder
from adapter.autoscaler.live import KIND, LiveHpa, hpas
from adapter.doctor.access import rights
from adapter.doctor.autoscalers import metric_paths
from adapter.doctor.facts import Asked, Facts, Json, Right
from adapter.registration.apply import look
from adapter.registration.rule import ApiService
from cme.core.errors import KubeFailed, TidecastError
from cme.core.settings import Settings

ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
HPAS = "/apis/autoscaling/v2/horizontalpodautoscalers"
TRIALS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers?dryRun=All"
SCALED_OBJECTS = "/apis/keda.sh/v1alpha1/scaledobjects"
VERTICAL = "/apis/autoscaling.k8s.io/v1/verticalpodautoscalers"

T = TypeVar("T")


class Cluster(Protocol):
    """The blocking client of cme.kube."""

    def get(self, path: str) -> dict[str, Any]:
        """Raises KubeFailed."""

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Raises KubeFailed."""

    def server_time(self) -> datetime:
        """The API server's, to the second. Raises KubeFailed."""


def read_facts(cluster: Cluster, settings: Settings, asked: Asked) -> Facts:
    """Raises KubeFailed when the cluster does not say its version; each other fact that can't be read is the failure."""
    version = str(cluster.get("/version")["gitVersion"])
    plan = _told(partial(look, cluster, asked.registration))
    ours = [] if isinstance(plan, TidecastError) else plan.ours
    return Facts(
        version=version,
        ahead_s=_told(partial(_ahead_s, cluster)),
        tolerant=_told(partial(_keeps_tolerance, cluster)),
        scales_to_zero=_told(partial(_scales_to_zero, cluster)),
        trust=_told(partial(cluster.get, CONFIG_MAP)),
        plan=plan,
        installed=_told(partial(_is_installed, cluster, asked)),
        rights={right: _told(partial(_may, cluster, right)) for right in rights(asked)},
        discovery={one.name: _told(partial(_discovers, cluster, one)) for one in ours},
        values={path: _told(partial(_value, cluster, path)) for path in metric_paths(asked.policies, ours)},
        hpas=_told(partial(_hpas, cluster)),
        scaled_objects=_told(partial(of_kind, cluster, SCALED_OBJECTS)),
        vertical=_told(partial(of_kind, cluster, VERTICAL)),
        certificate=_certificate(settings),
        now=datetime.now(UTC),
    )


def _told(ask: Callable[[], T]) -> T | TidecastError:
    try:
        return ask()
    except TidecastError as error:
        return error


def _ahead_s(cluster: Cluster) -> float:
    return (cluster.server_time() - datetime.now(UTC)).total_seconds()


def _keeps_tolerance(cluster: Cluster) -> bool:
    """By a trial, for a gate decides it; nothing is written. Raises KubeFailed."""
    kept = cluster.post(TRIALS, _trial({"minReplicas": 1, "behavior": {"scaleDown": {"tolerance": "0"}}}))
    return "tolerance" in kept["spec"].get("behavior", {}).get("scaleDown", {})


def _scales_to_zero(cluster: Cluster) -> bool:
    """By a trial, for a gate decides it; nothing is written. Raises KubeFailed."""
    try:
        cluster.post(TRIALS, _trial({"minReplicas": 0}))
    except KubeFailed as error:
        if "minReplicas" not in str(error):
            raise
        return False
    return True


def _trial(spec: Json) -> Json:
    target = {"type": "AverageValue", "averageValue": "1"}
    metric = {"type": "External", "external": {"metric": {"name": "tidecast-doctor"}, "target": target}}
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tidecast-doctor"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": KIND,
        "metadata": {"name": "tidecast-doctor", "namespace": "default"},
        "spec": {"scaleTargetRef": ref, "maxReplicas": 2, "metrics": [metric], **spec},
    }


def _is_installed(cluster: Cluster, asked: Asked) -> bool:
    registration = asked.registration
    accounts = f"/api/v1/namespaces/{registration.namespace}/serviceaccounts"
    return bool(cluster.get(f"{accounts}?fieldSelector=metadata.name%3D{registration.service}")["items"])


def _may(cluster: Cluster, right: Right) -> bool:
    return cluster.post(ACCESS_REVIEWS, right.review())["status"].get("allowed") is True


def _discovers(cluster: Cluster, one: ApiService) -> bool:
    """As any client does."""
    return bool(cluster.get(f"/apis/{one.group}/{one.version}").get("kind") == "APIResourceList")


def _value(cluster: Cluster, path: str) -> str:
    return ", ".join(str(item["value"]) for item in cluster.get(path)["items"])


def _hpas(cluster: Cluster) -> list[LiveHpa]:
    kind = {"apiVersion": "autoscaling/v2", "kind": KIND}  # which a list leaves out
    return hpas([kind | item for item in cluster.get(HPAS)["items"]], HPAS)


def of_kind(cluster: Cluster, path: str) -> list[Json]:
    """All objects; none where the cluster does not know the group. Raises KubeFailed."""
    groups = {one["name"] for one in cluster.get("/apis")["groups"]}
    return list(cluster.get(path)["items"]) if path.split("/")[2] in groups else []


def _certificate(settings: Settings) -> x509.Certificate | None:
    """Of the file that is served, where this runs beside the program."""
    own = tls_folder(settings) / SERVER_FILE
    try:
        return x509.load_pem_x509_certificate(
            (settings.certificate.cert_file if settings.certificate else own).read_bytes()
        )
    except (OSError, ValueError):
        return None
