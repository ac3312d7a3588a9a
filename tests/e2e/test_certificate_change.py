"""The program's own certificate is changed behind the real aggregator, and no request is refused meanwhile."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter.api.own_certificate import (
    LIFETIME,
    RENEWED_BEFORE,
    SERVER_FILE,
    OwnCertificate,
    names_of,
)
from adapter.api.paths import EXTERNAL, VERSIONS
from adapter.registration.apply import API_SERVICES
from adapter.registration.rule import ApiService
from cme.core.settings import Registration
from tests.e2e import policies
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import KubeError
from tests.e2e.components.waiting import until
from tests.e2e.deployed import Tidecast
from tests.e2e.test_coexistence import SETTINGS
from tests.e2e.workloads import NAMESPACE, namespace

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

NAME = "certified"
DUE_IN = timedelta(seconds=40)
"""After the first certificate's authority was published alone."""
BOUND_S = 420
"""Each of the three steps waits for a turn of a minute."""
PATH = f"/apis/{EXTERNAL}/v1beta1/namespaces/{NAMESPACE}/qps?labelSelector=tidecast.dev%2Fworkload%3D{NAME}"


def test_no_request_is_refused_while_certificate_and_authority_change(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    kube, folder = control_plane.kube, tmp_path / "data" / "tls"
    kube.apply(namespace())
    made = datetime.now(UTC) + DUE_IN - LIFETIME + RENEWED_BEFORE
    own = OwnCertificate(folder, names_of(Registration()), made)
    first, served = own.authorities, (folder / SERVER_FILE).read_bytes()
    policy = policies.policy(NAME, "qps", {"demo": {"load": "tide"}}, "40")
    with Tidecast(tmp_path, control_plane, SETTINGS, [policy]):
        until("its number is served", lambda: is_served(control_plane), 60)
        seen, end = [published(control_plane)], time.monotonic() + BOUND_S
        while not (seen[-1] == {own.authorities} and first not in own.authorities):
            assert time.monotonic() < end, seen
            assert kube.items(PATH)  # raises what the aggregator refuses
            if published(control_plane) != seen[-1]:
                seen.append(published(control_plane))
        assert (folder / SERVER_FILE).read_bytes() != served
        assert seen[0] == {first}
        assert any(text.count("BEGIN CERTIFICATE") == 2 for one in seen for text in one)
        assert all(kube.items(PATH) for _ in range(20))


def is_served(plane: ControlPlane) -> bool:
    """The aggregator's proxy follows its own view of what is available a moment later."""
    try:
        return bool(plane.kube.items(PATH))
    except KubeError:
        return False


def published(plane: ControlPlane) -> set[str]:
    """The authorities of all APIServices of ours."""
    names = [f"{version}.{group}" for group, versions in VERSIONS.items() for version in versions]
    return {ApiService.of(plane.kube.get(f"{API_SERVICES}/{name}")).authorities for name in names}
