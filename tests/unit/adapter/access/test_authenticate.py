from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from multidict import CIMultiDict

from adapter.access.authenticate import LONGEST_TOKEN, Authenticator, Unauthenticated
from adapter.access.certificates import ClientCertificate, read_certificate
from adapter.access.trust import CONFIG_MAP, Trust
from adapter.access.users import ANONYMOUS, AUTHENTICATED, User
from cme.core.clock import ManualClock
from cme.core.errors import KubeFailed
from tests.unit.adapter.access.cluster import HPA, PROXY_NAME, Cluster
from tests.unit.adapter.api.authority import Authority

NOW = 1_800_000_000_000


class Stage:
    def __init__(self, folder: Path) -> None:
        self.folder, self.cluster, self.clock = folder, Cluster(), ManualClock(NOW)
        self.authenticator = Authenticator(Trust.of(self.cluster.get(CONFIG_MAP)), self, self.clock)

    async def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.cluster.post(path, body)

    def certificate(self, authority: Authority, name: str, *groups: str) -> ClientCertificate:
        pair = authority.issue(self.folder, name, *groups)
        loaded = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        return read_certificate(loaded.public_bytes(Encoding.DER))

    def front_proxy(self) -> ClientCertificate:
        return self.certificate(self.cluster.proxy, PROXY_NAME)

    async def user(self, certificate: ClientCertificate | None, *headers: tuple[str, str]) -> User:
        return await self.authenticator.user(certificate, CIMultiDict(headers))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_the_front_proxy_says_who_asks(stage: Stage) -> None:
    user = await stage.user(
        stage.front_proxy(),
        ("X-Remote-User", HPA),
        ("X-Remote-Group", "system:serviceaccounts"),
        ("X-Remote-Group", "system:serviceaccounts:kube-system"),
        ("X-Remote-Uid", "42"),
        ("X-Remote-Extra-Example.org%2fScopes", "read"),
        ("X-Remote-Extra-Example.org%2fScopes", "list"),
    )
    groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", AUTHENTICATED)
    assert user == User(HPA, groups, "42", {"example.org/scopes": ("read", "list")})


async def test_a_user_without_groups_is_authenticated_all_the_same(stage: Stage) -> None:
    user = await stage.user(stage.front_proxy(), ("X-Remote-User", "system:kube-aggregator"))
    assert user.groups == (AUTHENTICATED,)


async def test_headers_without_the_certificate_are_worth_nothing(stage: Stage) -> None:
    forged = (("X-Remote-User", "admin"), ("X-Remote-Group", "system:masters"))
    assert await stage.user(None, *forged) == ANONYMOUS
    for authority, name in (
        (stage.cluster.proxy, "somebody"),
        (Authority("front-proxy-ca"), PROXY_NAME),
    ):
        assert await stage.user(stage.certificate(authority, name), *forged) == ANONYMOUS


async def test_a_client_certificate_names_user_and_groups(stage: Stage) -> None:
    certificate = stage.certificate(stage.cluster.clients, "alice", "team-a", "system:masters")
    assert await stage.user(certificate) == User("alice", ("team-a", "system:masters", AUTHENTICATED))


async def test_a_client_certificate_can_not_speak_for_others(stage: Stage) -> None:
    certificate = stage.certificate(stage.cluster.clients, PROXY_NAME)
    assert (await stage.user(certificate, ("X-Remote-User", "admin"))).name == PROXY_NAME


async def test_a_certificate_that_ends_while_its_connection_lives_proves_nothing_more(stage: Stage) -> None:
    certificate = stage.front_proxy()
    asks = ("X-Remote-User", HPA)
    assert (await stage.user(certificate, asks)).name == HPA
    stage.clock.step_wall(round(certificate.not_after.timestamp() * 1000) - NOW + 1000)
    assert await stage.user(certificate, asks) == ANONYMOUS


async def test_a_replaced_authority_is_believed_no_more(stage: Stage) -> None:
    certificate = stage.front_proxy()
    stage.cluster.proxy = Authority("front-proxy-ca")
    stage.authenticator.trust = Trust.of(stage.cluster.get(CONFIG_MAP))
    assert await stage.user(certificate, ("X-Remote-User", HPA)) == ANONYMOUS
    assert (await stage.user(stage.front_proxy(), ("X-Remote-User", HPA))).name == HPA


async def test_a_token_is_reviewed_once_in_a_while(stage: Stage) -> None:
    found = {"username": "bob", "groups": ["team-b"], "uid": "7", "extra": {"k": ["v"]}}
    stage.cluster.tokens["t0ken"] = found
    for _ in range(3):
        user = await stage.user(None, ("Authorization", "Bearer t0ken"))
        assert user == User("bob", ("team-b", AUTHENTICATED), "7", {"k": ("v",)})
    assert len(stage.cluster.asked("TokenReview")) == 1
    del stage.cluster.tokens["t0ken"]
    stage.clock.advance(10_000)
    with pytest.raises(Unauthenticated):
        await stage.user(None, ("Authorization", "Bearer t0ken"))


@pytest.mark.parametrize("value", ["Bearer ", "Bearer", "bearer x", f"Bearer {'x' * (LONGEST_TOKEN + 1)}"])
async def test_a_token_that_proves_nothing_is_no_anonymous_request(value: str, stage: Stage) -> None:
    with pytest.raises(Unauthenticated):
        await stage.user(None, ("Authorization", value))


async def test_other_schemes_are_nobody_in_particular(stage: Stage) -> None:
    assert await stage.user(None, ("Authorization", "Basic YTpi")) == ANONYMOUS


async def test_an_api_server_that_is_down_identifies_nobody(stage: Stage) -> None:
    stage.cluster.down = True
    for _ in range(2):
        with pytest.raises(KubeFailed):
            await stage.user(None, ("Authorization", "Bearer t0ken"))
