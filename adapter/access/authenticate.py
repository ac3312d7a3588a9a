"""Who asks, in kube-apiserver's order: front proxy, client certificate, bearer token, nobody in particular."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import unquote

from adapter.access.cache import Cache
from adapter.access.certificates import ClientCertificate, is_issued_by
from adapter.access.trust import Trust
from adapter.access.users import ANONYMOUS, User
from cme.core.clock import Clock
from cme.core.errors import TidecastError

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
TOKEN_KEPT_MS = 10_000
TOKENS = 4096
LONGEST_TOKEN = 16_384


class Unauthenticated(TidecastError):
    """Credentials were given that prove nothing."""


class Headers(Protocol):
    """Of a request: names without case, several values each."""

    def get(self, key: str, default: str) -> str:
        """The first value."""

    def getall(self, key: str, default: list[str]) -> list[str]: ...

    def keys(self) -> Any: ...


class Reviews(Protocol):
    async def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the API server makes of an object. Raises KubeFailed."""


class Authenticator:
    """`trust` may be replaced at any time; what the old one vouched for is forgotten at once."""

    def __init__(self, trust: Trust, reviews: Reviews, clock: Clock) -> None:
        self.trust, self._reviews, self._clock = trust, reviews, clock
        self._tokens: Cache[User] = Cache(clock, lambda user: TOKEN_KEPT_MS, TOKENS)

    async def user(self, certificate: ClientCertificate | None, headers: Headers) -> User:
        """The identity; ANONYMOUS where nothing is given. Raises Unauthenticated, KubeFailed."""
        if certificate is not None and not self._expired(certificate):
            if self._is_front_proxy(certificate) and (named := self._named_by_proxy(headers)):
                return named
            if certificate.common_name and is_issued_by(certificate.der, self.trust.client_ca):
                return User(certificate.common_name, certificate.organizations).authenticated()
        if token := _bearer(headers):
            return await self._tokens.get(token, lambda: self._review(token))
        return ANONYMOUS

    def _expired(self, certificate: ClientCertificate) -> bool:
        """A connection may outlive the certificate that it began with."""
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC) > certificate.not_after

    def _is_front_proxy(self, certificate: ClientCertificate) -> bool:
        allowed = self.trust.allowed_names
        known = not allowed or certificate.common_name in allowed
        return known and is_issued_by(certificate.der, self.trust.proxy_ca)

    def _named_by_proxy(self, headers: Headers) -> User | None:
        """Only to be asked of the front proxy: anybody else could claim to be anybody."""
        trust = self.trust
        name = next((v for header in trust.username_headers for v in headers.getall(header, []) if v), "")
        if not name:
            return None
        groups = tuple(v for header in trust.group_headers for v in headers.getall(header, []))
        uid = next((v for header in trust.uid_headers for v in headers.getall(header, []) if v), "")
        return User(name, groups, uid, _extra(headers, trust)).authenticated()

    async def _review(self, token: str) -> User:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        status = (await self._reviews.post(TOKEN_REVIEWS, body)).get("status") or {}
        if not status.get("authenticated"):
            raise Unauthenticated("the bearer token is not valid in this cluster")
        found = status.get("user") or {}
        extra = {str(key): tuple(map(str, values)) for key, values in (found.get("extra") or {}).items()}
        groups = tuple(map(str, found.get("groups") or ()))
        return User(
            str(found.get("username") or ""), groups, str(found.get("uid") or ""), extra
        ).authenticated()


def _extra(headers: Headers, trust: Trust) -> dict[str, tuple[str, ...]]:
    """Key is what follows the prefix, in lower case and with %-escapes undone."""
    extra: dict[str, tuple[str, ...]] = {}
    for prefix in trust.extra_prefixes:
        for header in set(headers.keys()):
            if header.lower().startswith(prefix.lower()):
                extra[unquote(header[len(prefix) :].lower())] = tuple(headers.getall(header, []))
    return extra


def _bearer(headers: Headers) -> str:
    """The token, "" when there is none. Raises Unauthenticated for one that can't be a token."""
    scheme, _, token = next(iter(headers.getall("Authorization", [])), "").partition(" ")
    if scheme.lower() != "bearer":
        return ""
    token = token.strip()
    if not token or len(token) > LONGEST_TOKEN:
        raise Unauthenticated("the Authorization header holds no bearer token")
    return token
