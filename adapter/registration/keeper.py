"""Registers when the program starts, and keeps what is registered at the authorities of the day."""

import asyncio
import logging
from collections.abc import Sequence

from adapter.registration.apply import Cluster, apply, authorities_file, changes, look, read_authorities
from cme.core.errors import KubeFailed, TidecastError
from cme.core.settings import Registration, Settings
from cme.runtime.telemetry import AdapterTelemetry

log = logging.getLogger("tidecast.adapter")

PERIOD_MS = 60_000
"""Also what every API server of a cluster is given to follow a change of authorities."""


class Keeper:
    """Never takes what belongs to another: that is told by a metric and, when it changes, by a line of the log."""

    def __init__(
        self, cluster: Cluster, settings: Settings, registration: Registration, telemetry: AdapterTelemetry
    ) -> None:
        self._cluster, self._registration, self._telemetry = cluster, registration, telemetry
        self._file = authorities_file(settings)
        self._told: Sequence[str] = []
        self.published = ""
        """The authorities by which the cluster verified us a period ago, wherever it led to us."""

    async def turn(self) -> None:
        """Raises nothing of ours: a problem is logged when it is another than the last."""
        try:
            problems = await asyncio.to_thread(self._keep)
        except TidecastError as error:
            problems = [str(error)]
        self._telemetry.registration_success.set(not problems)
        if problems != self._told:
            for problem in problems:
                log.error("not registered: %s", problem)
        self._told = problems

    def _keep(self) -> Sequence[str]:
        """Refusals, and what could not be applied. Raises KubeFailed, InvalidInput."""
        authorities = read_authorities(self._file)
        plan = look(self._cluster, self._registration)
        for group in self._registration.groups:
            foreign = sum(one.group == group for one in plan.foreign)
            self._telemetry.foreign_apiservices.labels(group).set(foreign)
        if plan.known(authorities):
            self.published = authorities
        problems = list(plan.refusals)
        for how, made in changes(plan, self._registration, authorities):
            try:
                apply(self._cluster, made)
                log.info("%s: %s", made["metadata"]["name"], how)
            except KubeFailed as error:  # the others must not wait for it
                problems.append(str(error))
        return problems
