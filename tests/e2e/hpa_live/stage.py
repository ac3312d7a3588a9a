"""The controller that decides, and our metrics server behind its API server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapter.hpa.controller import SCALE_TO_ZERO, Controller
from cme.core.durations import SECOND_MS
from tests.e2e.components.certificates import Authority
from tests.e2e.components.control_plane import HPA, ControlPlane, Make
from tests.e2e.components.extension import behind_a_service
from tests.e2e.components.kube import Json
from tests.e2e.hpa_differential.generator import VERSION
from tests.e2e.hpa_live import audit, wire
from tests.e2e.hpa_live.metrics_server import MetricsServer, serving

CONTROLLER = Controller(
    version=VERSION,
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
REFUSED = 7
"""The size that no HPA may make."""

NAMESPACE, SERVICE = "metrics", "metrics"


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
        versions = (wire.CUSTOM, wire.EXTERNAL, wire.RESOURCES)
        registered = behind_a_service(NAMESPACE, SERVICE, port, authority.certificate, versions)
        for manifest in (*registered, *_refusal()):
            plane.kube.apply(manifest)
        yield Stage(plane, server)


def _refusal() -> Iterator[Json]:
    """Sizes that the API server does not take from the HPA."""
    version, metadata = "admissionregistration.k8s.io/v1", {"name": "refused-sizes"}
    scales = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["UPDATE"],
        "resources": ["deployments/scale"],
    }
    fine = f"request.userInfo.username != '{HPA}' || !has(object.spec.replicas) || object.spec.replicas != {REFUSED}"
    yield {
        "apiVersion": version,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata,
        "spec": {
            "matchConstraints": {"resourceRules": [scales]},
            "validations": [{"expression": fine}],
        },
    }
    yield {
        "apiVersion": version,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": metadata,
        "spec": {"policyName": metadata["name"], "validationActions": ["Deny"]},
    }
