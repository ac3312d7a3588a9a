"""What is replaced and restarted while questions are asked: no wrong number, and errors only where something is down."""

import http.client
from collections.abc import Iterator

import pytest

from adapter.access.trust import CONFIG_MAP
from tests.e2e.components.certificates import Authority
from tests.e2e.components.control_plane import HPA
from tests.e2e.components.report import note
from tests.e2e.components.waiting import until
from tests.e2e.serving.asking import RIGHT, Asking, asking
from tests.e2e.serving.stage import OBJECT, Scene

pytestmark = pytest.mark.e2e

SOON_S = 60
MORE = 300
"""Right answers each way after which a change has been lived with."""


@pytest.fixture
def load(scene: Scene) -> Iterator[Asking]:
    """Questions for as long as the test lasts; a wrong number fails it."""
    with asking(scene) as made:
        lives_on(made)
        yield made


def lives_on(load: Asking) -> None:
    """Wait until both ways have given so many right answers more."""
    begun = load.seen()
    until(f"{MORE} right answers more", lambda: load.seen() >= begun + MORE, SOON_S)


def recovers(title: str, scene: Scene, load: Asking) -> None:
    """Wait until both ways answer, with what was told last."""
    lives_on(load)
    one, told = scene.hpas[OBJECT], scene.told.load
    until(f"{told:g} is served", lambda: one.value() == told, SOON_S)
    note(f"{title}: direct {dict(load.direct.answers)}, aggregated {dict(load.aggregated.answers)}")


def test_a_renewed_serving_certificate_drops_no_connection(scene: Scene, load: Asking) -> None:
    old = scene.tidecast.serial()
    scene.tidecast.renew_certificate()
    scene.told.tell(400)
    until("new connections get the new certificate", lambda: scene.tidecast.serial() != old, SOON_S)
    recovers("serving certificate", scene, load)
    assert (load.direct.failed, load.aggregated.failed) == (0, 0)


@pytest.mark.slow
def test_a_new_front_proxy_authority_is_believed_without_a_restart(scene: Scene, load: Asking) -> None:
    """As it is rotated: the new one is published beside the old one before anything is signed with it."""
    plane, old = scene.plane, scene.plane.front_proxy
    new = Authority(plane.folder_of("next"), "front-proxy-ca")
    assert not is_believed(scene, new)
    plane.publish_front_proxy(old, new)
    scene.told.tell(500)
    until("the new authority is believed", lambda: is_believed(scene, new), SOON_S)
    plane.sign_front_proxy(new)
    recovers("front-proxy authority", scene, load)
    assert (load.direct.failed, load.aggregated.failed) == (0, 0)
    plane.publish_front_proxy(new)
    with plane.without_apiserver():  # its open connections still show the old one
        pass
    plane.kube.merge(CONFIG_MAP, {"data": {"requestheader-client-ca-file": new.certificate.read_text()}})
    until("the old authority is no longer believed", lambda: not is_believed(scene, old), SOON_S)
    lives_on(load)


def is_believed(scene: Scene, authority: Authority) -> bool:
    """Whether the adapter takes a front proxy that it signed."""
    identity, headers = authority.issue("front-proxy-client"), {"X-Remote-User": HPA}
    try:
        return scene.tidecast.ask_directly(scene.hpas[OBJECT].path, headers, identity).status == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.mark.slow
def test_while_the_api_server_restarts_nothing_wrong_is_told(scene: Scene, load: Asking) -> None:
    with scene.plane.without_apiserver():
        scene.told.tell(600)
    recovers("API server", scene, load)
    assert load.direct.answers.keys() <= {RIGHT, "503"}, "who may ask is known for a minute at most"
    assert load.aggregated.failed > 0, "it was down"
    assert load.aggregated.statuses <= {"503"}


def test_while_the_adapter_restarts_nothing_wrong_is_told(scene: Scene, load: Asking) -> None:
    with scene.tidecast.stopped():
        scene.told.tell(700)
    recovers("adapter", scene, load)
    assert min(load.direct.failed, load.aggregated.failed) > 0, "it was down"
    assert load.direct.statuses | load.aggregated.statuses <= {"503"}
