"""HPAs of every source and target type follow a number to exactly the size that it implies, up and down."""

from collections.abc import Iterator

import pytest

from tests.e2e.components.control_plane import HPA
from tests.e2e.components.waiting import until
from tests.e2e.followed import API_SERVICES
from tests.e2e.serving.stage import Scene

pytestmark = pytest.mark.e2e


def test_every_way_to_ask_leads_to_the_same_size(scene: Scene) -> None:
    for load in (1_210.0, 500.0):
        scene.told.tell(load)
        scene.settle()


@pytest.fixture
def older_preferred(scene: Scene) -> Iterator[None]:
    """The HPA asks in the version that the API server prefers."""
    kube, path = scene.plane.kube, f"{API_SERVICES}/v1beta1.custom.metrics.k8s.io"
    priority = kube.get(path)["spec"]["versionPriority"]
    kube.merge(path, {"spec": {"versionPriority": 300}})
    yield
    kube.merge(path, {"spec": {"versionPriority": priority}})


def test_the_older_version_leads_there_too(scene: Scene, older_preferred: None) -> None:
    asked = "/apis/custom.metrics.k8s.io/v1beta1/namespaces/"
    until("the HPA asks in v1beta1", lambda: HPA in scene.plane.askers(asked), 60)
    scene.told.tell(700.0)
    scene.settle()
