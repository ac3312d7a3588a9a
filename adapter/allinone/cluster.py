"""What the collecting process does with a cluster: which policies it holds, what runs of their workloads, and what their
writers are told."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from cme.collector.replicas import Replicas
from cme.core.clock import Clock
from cme.core.settings import Settings
from cme.log.protocol import Log
from cme.policies import reporter
from cme.policies.objects import PATH, PolicyObjects
from cme.policies.reporter import Reporter
from cme.policies.standing import Standing, in_effect
from cme.runtime.reflector import RETRY_MS, Reflector
from cme.runtime.telemetry import CollectorTelemetry

if TYPE_CHECKING:
    from cme.kube import KubeClient

Beat = tuple[int, Callable[[], Awaitable[None]]]
"""A period in milliseconds and what is done in each."""


class Cluster:
    """What is read of it once, however many logs are written: its policies."""

    def __init__(
        self, client: "KubeClient", clock: Clock, settings: Settings, telemetry: CollectorTelemetry
    ) -> None:
        self.client, self.settings, self.objects = client, settings, PolicyObjects()
        self._reflector = Reflector(client, PATH, self.objects, clock, telemetry.policy_objects)

    @classmethod
    def of(cls, clock: Clock, settings: Settings, telemetry: CollectorTelemetry) -> "Cluster | None":
        """None where the settings name no cluster. Raises KubeFailed."""
        if settings.kubernetes is None:
            return None
        from cme.kube import KubeClient

        return cls(KubeClient(settings.kubernetes), clock, settings, telemetry)

    @property
    def beat(self) -> Beat:
        return RETRY_MS, self._reflector.turn

    def close(self) -> None:
        self.client.close()


class ClusterSide:
    """What one log is told of it, and it of the log."""

    def __init__(
        self, cluster: Cluster, log: Log, clock: Clock, settings: Settings, telemetry: CollectorTelemetry
    ) -> None:
        """Raises LogFailed."""
        client, self._tick = cluster.client, settings.tick
        self._replicas = Replicas(client, client.metadata, log, clock, settings, telemetry)
        self._reporter = Reporter(client, log, clock, cluster.objects, settings.signal_stale_ms, telemetry)

    def begin(self, standings: Sequence[Standing]) -> None:
        """With these policies, which are remembered: of what is written now nothing is known yet, so nothing is told."""
        self._replicas.follow(in_effect(standings))

    def follow(self, standings: Sequence[Standing]) -> None:
        """From now on with these policies."""
        self._replicas.follow(in_effect(standings))
        self._reporter.follow(standings)

    @property
    def beats(self) -> Sequence[Beat]:
        return [(self._tick, self._replicas.turn), (reporter.PERIOD_MS, self._reporter.turn)]
