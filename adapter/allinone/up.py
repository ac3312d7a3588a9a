"""`tidecast up`: collector, predictor and adapter on one embedded log, from start to a clean stop."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from adapter.allinone import demo
from adapter.allinone.cluster import Beat, Cluster
from adapter.allinone.collecting import Collecting
from adapter.allinone.launch import (
    AdapterProcess,
    StartFailed,
    first_end,
    listen,
    refuse_strangers,
    set_by_signals,
)
from adapter.allinone.ops import own_metrics
from adapter.allinone.predicting import Predicting
from adapter.allinone.served_log import log_served
from adapter.allinone.shared import together
from adapter.api.own_certificate import CA_FILE, tls_folder
from cme.core.clock import Clock, SystemClock
from cme.core.policy import ScalingPolicy
from cme.core.progress import Progress
from cme.core.settings import Configuration, Settings
from cme.log.server import Served
from cme.policies.standing import check
from cme.runtime import garbage
from cme.runtime.tasks import every, stop
from cme.runtime.telemetry import CollectorTelemetry, PredictorTelemetry


@dataclass(frozen=True)
class Voice:
    """How the run speaks to a person: lines, and a progress callback for a description."""

    say: Callable[[str], None]
    progress: Callable[[str], Progress]


@dataclass
class Run:
    """One run of everything. `log` is open for writing and closed by its owner."""

    configuration: Configuration
    shown: Sequence[ScalingPolicy]  # of the demonstration
    log: Served
    voice: Voice
    clock: Clock = field(default_factory=SystemClock)
    _registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def settings(self) -> Settings:
        return self.configuration.settings

    async def until_stopped(self, http: socket.socket, https: socket.socket) -> None:
        """Serve until SIGINT or SIGTERM. Raises TidecastError when it can't start, Stopped when a part ended."""
        set_by_signals(self._stopping)
        async with (
            own_metrics(self._registry) as ops_url,
            log_served(self.log, self.settings.serve_log) as of_served_log,
        ):
            adapter = await AdapterProcess.start(self.settings, http, https, ops_url)
            try:
                await self._work(adapter, of_served_log)
            finally:
                await adapter.stop()

    async def _work(self, adapter: AdapterProcess, of_served_log: Sequence[Beat]) -> None:
        telemetry = CollectorTelemetry(self._registry)
        cluster = Cluster.of(self.clock, self.settings, telemetry)
        collecting = Collecting(self.configuration, self.shown, self.log, self.clock, telemetry, cluster)
        predicting = Predicting(
            self.log,
            self.clock,
            self.settings,
            PredictorTelemetry(self._registry),
            self.settings.data,
            self.voice.progress("learning the past"),
        )
        await collecting.start()
        self._announce(collecting.policies)
        settling = (garbage.PERIOD_MS, garbage.settle)
        beats = [settling, *([cluster.beat] if cluster else []), *of_served_log]
        loops = [
            *(every(ms, self.clock, turn, telemetry.faults.inc) for ms, turn in beats),
            *collecting.loops(),
            *predicting.loops(),
        ]
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            await first_end(self._stopping, adapter, *tasks)
        finally:
            await stop(*tasks)
            await predicting.close()
            await collecting.close()
            if cluster:
                cluster.close()

    def _announce(self, policies: Sequence[ScalingPolicy]) -> None:
        self.voice.say(f"page:        http://{self.settings.http}/")
        if policies:
            self.voice.say(f"metrics API: {example(self.settings, policies[0])}")


def example(settings: Settings, policy: ScalingPolicy) -> str:
    """A command that asks for the first signal of a policy."""
    metric = f"{policy.workload.resource}/{policy.workload.name}/{policy.spec.signals[0].name}"
    path = f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{policy.metadata.namespace}/{metric}"
    if settings.kubernetes is not None:
        return f"kubectl get --raw {path}"
    verify = "--insecure" if settings.certificate else f"--cacert {tls_folder(settings) / CA_FILE}"
    return f"curl {verify} https://{settings.https}{path}"


def up(
    configuration: Configuration, open_log: Callable[[], Served], voice: Voice, *, demonstrate: bool
) -> None:
    """Run until stopped by a signal. Raises TidecastError when it can't start or a part ended."""
    settings = configuration.settings
    shown = demo.policies(settings.http) if demonstrate else []
    refuse_strangers(settings)
    if settings.follow_log:
        raise StartFailed("followLog is for tidecast serve; tidecast up writes a log of its own: remove it")
    if settings.log and demonstrate:
        raise StartFailed("the demonstration has a log of its own: remove log, or leave --demo out")
    for policy in configuration.policies:
        check(policy, settings)
    with listen(settings.http, "--http") as http, listen(settings.https, "--https") as https:
        if settings.log:
            asyncio.run(together(configuration, http, https, voice.say))
            return
        with contextlib.closing(open_log()) as log:
            if demonstrate:
                progress = voice.progress(f"writing {demo.DAYS} days of history")
                demo.back_fill(log, shown, SystemClock().now_ms(), progress)
            asyncio.run(Run(configuration, shown, log, voice).until_stopped(http, https))
