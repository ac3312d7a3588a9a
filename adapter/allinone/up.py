"""`tidecast up`: collector, predictor and adapter on one embedded log, from start to a clean stop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from adapter.allinone import demo
from adapter.allinone.cluster import Beat, ClusterSide
from adapter.allinone.launch import (
    AdapterProcess,
    StartFailed,
    first_end,
    listen,
    refuse_strangers,
    set_by_signals,
)
from adapter.allinone.served_log import log_served
from adapter.api.own_certificate import CA_FILE, tls_folder
from adapter.configuration.reload import PolicyFile
from cme.collector.loop import Collector
from cme.core.clock import Clock, SystemClock
from cme.core.durations import MINUTE_MS
from cme.core.policy import ScalingPolicy
from cme.core.progress import Progress
from cme.core.settings import Configuration, Settings
from cme.log.server import Served
from cme.policies.keeper import PERIOD_MS as KEEPER_MS
from cme.policies.keeper import Objects, PolicyKeeper, remembered
from cme.policies.standing import check, in_effect
from cme.runtime.tasks import every, stop
from cme.runtime.telemetry import CollectorTelemetry, PredictorTelemetry
from predictor import decomposer
from predictor.decomposer import Decomposer
from predictor.opinions import fitting
from predictor.opinions.fitting import Fitting
from predictor.runner import Predictor

FOLLOW_MS = 200
RETAIN_MS = 10 * MINUTE_MS


class Interrupted(Exception):
    """A start was cut short by the wish to stop."""


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
        async with self._ops() as ops_url, log_served(self.log, self.settings.serve_log) as of_served_log:
            adapter = await AdapterProcess.start(self.settings, http, https, ops_url)
            try:
                await self._work(adapter, of_served_log)
            finally:
                await adapter.stop()

    async def _work(self, adapter: AdapterProcess, of_served_log: Sequence[Beat]) -> None:
        telemetry = CollectorTelemetry(self._registry)
        predictions = PredictorTelemetry(self._registry)
        collector = Collector(self.log, self.clock, self.settings, telemetry)
        predictor = Predictor(self.log, self.clock, self.settings, predictions, self.settings.data)
        cluster = ClusterSide.of(self.log, self.clock, self.settings, telemetry)
        keeper = self._keeper(telemetry, collector, cluster)
        await collector.start(keeper.standings)
        if cluster:
            cluster.begin(keeper.standings)
        self._announce(in_effect(keeper.standings))
        beats: list[Beat] = [
            (self.settings.tick, collector.tick),
            (RETAIN_MS, self._retain),
            (KEEPER_MS, keeper.turn),
            *(cluster.beats if cluster else ()),
            *of_served_log,
        ]
        loops = [
            *(asyncio.create_task(every(ms, self.clock, turn, telemetry.faults.inc)) for ms, turn in beats),
            asyncio.create_task(self._predict(predictor, predictions)),
            asyncio.create_task(self._decompose(predictions)),
            asyncio.create_task(self._fit(predictor, predictions)),
        ]
        try:
            await first_end(self._stopping, adapter, *loops)
        finally:
            self._stopping.set()
            await stop(*loops)
            await asyncio.to_thread(predictor.save)
            await collector.close()
            if cluster:
                cluster.close()

    async def _predict(self, predictor: Predictor, telemetry: PredictorTelemetry) -> None:
        """Catch up in a thread while the collector is already collecting, then follow."""
        with contextlib.suppress(Interrupted):
            await asyncio.to_thread(
                predictor.start, self._interruptible(self.voice.progress("learning the past"))
            )
            await every(FOLLOW_MS, self.clock, predictor.turn, telemetry.faults.inc)

    async def _decompose(self, telemetry: PredictorTelemetry) -> None:
        turn = Decomposer(self.log, self.clock).turn
        await every(decomposer.PERIOD_MS, self.clock, turn, telemetry.faults.inc)

    async def _fit(self, predictor: Predictor, telemetry: PredictorTelemetry) -> None:
        turn = Fitting(self.log, self.clock, predictor.opinions, telemetry).turn
        await every(fitting.PERIOD_MS, self.clock, turn, telemetry.faults.inc)

    def _interruptible(self, progress: Progress) -> Progress:
        def report(done: int, total: int) -> None:
            if self._stopping.is_set():
                raise Interrupted
            progress(done, total)

        return report

    def _keeper(
        self, telemetry: CollectorTelemetry, collector: Collector, cluster: ClusterSide | None
    ) -> PolicyKeeper:
        file = PolicyFile(self.configuration, self.shown, telemetry)
        objects = Objects(cluster.objects, remembered(self.log.newest("policies"))) if cluster else None
        followers = [collector.follow, *([cluster.follow] if cluster else [])]
        return PolicyKeeper(file, objects, followers, self.settings, telemetry)

    async def _retain(self) -> None:
        await asyncio.to_thread(self.log.retain, self.clock.now_ms())

    @contextlib.asynccontextmanager
    async def _ops(self) -> AsyncIterator[str]:
        """Where the adapter fetches our own metrics: a port of the kernel's choice on the loopback."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
        finally:
            await runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), content_type="text/plain", charset="utf-8")

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
    for policy in configuration.policies:
        check(policy, settings)
    with (
        listen(settings.http, "--http") as http,
        listen(settings.https, "--https") as https,
        contextlib.closing(open_log()) as log,
    ):
        if demonstrate:
            progress = voice.progress(f"writing {demo.DAYS} days of history")
            demo.back_fill(log, shown, SystemClock().now_ms(), progress)
        asyncio.run(Run(configuration, shown, log, voice).until_stopped(http, https))
