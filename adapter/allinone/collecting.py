"""The collector's work on one log, from its start to its end."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from adapter.allinone.cluster import Beat, Cluster, ClusterSide
from adapter.configuration.reload import PolicyFile
from cme.collector.loop import Collector
from cme.core.clock import Clock
from cme.core.durations import MINUTE_MS
from cme.core.policy import ScalingPolicy
from cme.core.settings import Configuration
from cme.log.protocol import Log
from cme.policies.keeper import PERIOD_MS as KEEPER_MS
from cme.policies.keeper import Objects, PolicyKeeper, remembered
from cme.policies.standing import Standing, in_effect
from cme.runtime.garbage import settle
from cme.runtime.tasks import every
from cme.runtime.telemetry import CollectorTelemetry

RETAIN_MS = 10 * MINUTE_MS

Mine = Callable[[Standing], bool]


class Collecting:
    """`mine` tells which policies' workloads are measured here."""

    def __init__(
        self,
        configuration: Configuration,
        shown: Sequence[ScalingPolicy],
        log: Log,
        clock: Clock,
        telemetry: CollectorTelemetry,
        cluster: Cluster | None,
        mine: Mine = lambda _: True,
    ) -> None:
        """`shown` are policies of the demonstration. Raises LogFailed."""
        settings = configuration.settings
        self._log, self._clock, self._telemetry, self._mine = log, clock, telemetry, mine
        self._tick = settings.tick
        self._collector = Collector(log, clock, settings, telemetry)
        self._side = ClusterSide(cluster, log, clock, settings, telemetry) if cluster else None
        objects = Objects(cluster.objects, remembered(log.newest("policies"))) if cluster else None
        file = PolicyFile(configuration, shown, telemetry)
        self._keeper = PolicyKeeper(file, objects, [self._follow], settings, telemetry)

    @property
    def policies(self) -> list[ScalingPolicy]:
        """Those in effect."""
        return in_effect(self._standings)

    async def start(self) -> None:
        """Raises LogFailed."""
        await self._collector.start(self._standings)
        if self._side:
            self._side.begin(self._standings)
        await settle()

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until it is cancelled."""
        beats: list[Beat] = [
            (self._tick, self._collector.tick),
            (RETAIN_MS, self._retain),
            (KEEPER_MS, self._keeper.turn),
            *(self._side.beats if self._side else ()),
        ]
        return [every(ms, self._clock, turn, self._telemetry.faults.inc) for ms, turn in beats]

    async def close(self) -> None:
        await self._collector.close()

    @property
    def _standings(self) -> list[Standing]:
        return [standing for standing in self._keeper.standings if self._mine(standing)]

    def _follow(self, standings: Sequence[Standing]) -> None:
        own = [standing for standing in standings if self._mine(standing)]
        self._collector.follow(own)
        if self._side:
            self._side.follow(own)

    async def _retain(self) -> None:
        await asyncio.to_thread(self._log.retain, self._clock.now_ms())
