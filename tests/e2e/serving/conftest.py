"""The stage of these tests: one tidecast, and a workload for each way in which an HPA can ask."""

from collections.abc import Iterator

import pytest

from tests.e2e import policies, workloads
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.deployed import Tidecast
from tests.e2e.followed import by_object
from tests.e2e.serving.stage import LOAD, METRICS, PER_REPLICA, Scene
from tests.e2e.told import told


@pytest.fixture(scope="package")
def scene(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    kube, folder = control_plane.kube, tmp_path_factory.mktemp("serving")
    deployments = [workloads.deployment(name) for name in METRICS]
    hpas = [workloads.hpa(name, [metric]) for name, metric in METRICS.items()]
    for manifest in (workloads.namespace(), *deployments):
        kube.apply(manifest)
    with told(list(METRICS), LOAD) as source:
        documents = [policies.policy(name, "qps", source.source(name), PER_REPLICA) for name in METRICS]
        with Tidecast(folder, control_plane, policies.settings(), documents, given=True) as tidecast:
            for manifest in hpas:
                kube.apply(manifest)
            followed = {name: by_object(kube, name, "qps", float(PER_REPLICA)) for name in METRICS}
            made = Scene(control_plane, tidecast, source, followed, folder)
            made.settle()
            yield made
            for manifest in (*hpas, *deployments):
                kube.delete(kube.path(manifest))
