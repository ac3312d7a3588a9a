"""The gate in front of the metrics API: who, what, and whether he may."""

import asyncio
import logging

from adapter.access.attributes import attributes_of
from adapter.access.authenticate import Authenticator, Unauthenticated
from adapter.access.authorize import Authorizer
from adapter.access.certificates import read_certificate
from adapter.access.lanes import Cluster, Lanes
from adapter.access.trust import CONFIG_MAP, NoTrust, Trust
from adapter.api.messages import Request
from adapter.api.status import ApiError
from cme.core.clock import Clock
from cme.core.errors import KubeFailed

log = logging.getLogger("tidecast.adapter")


class Gate:
    """Lets a request pass or raises the ApiError that it gets: 401, 403, or 503 when nobody can tell."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        """Asks for the cluster's trust once. Blocks; raises KubeFailed, NoTrust."""
        self._cluster = cluster
        reviews = Lanes(cluster)
        self._authenticator = Authenticator(Trust.of(cluster.get(CONFIG_MAP)), reviews, clock)
        self._authorizer = Authorizer(reviews, clock)

    @property
    def trust(self) -> Trust:
        return self._authenticator.trust

    async def admit(self, request: Request) -> None:
        """Raises ApiError."""
        try:
            certificate = read_certificate(request.certificate) if request.certificate else None
            user = await self._authenticator.user(certificate, request.headers)
            attributes = attributes_of(request.method, request.path, request.query)
            allowed = await self._authorizer.allows(user, attributes)
        except Unauthenticated as error:
            raise ApiError(401, str(error)) from None
        except KubeFailed as error:
            log.warning("access can't be decided: %s", error)
            raise ApiError(
                503,
                "whether this may be read can't be asked now: the API server does not answer, or too many ask",
            ) from None
        if not allowed:
            raise ApiError(403, attributes.refusal(user.name))

    async def refresh(self) -> None:
        """Read the cluster's trust again; an unreadable one changes nothing. Raises KubeFailed."""
        try:
            self._authenticator.trust = Trust.of(await asyncio.to_thread(self._cluster.get, CONFIG_MAP))
        except NoTrust as error:
            log.error("%s; what was published before still counts", error)
