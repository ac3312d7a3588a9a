"""What `replay` and `advise` are told of a past and of the cluster."""

import asyncio
import contextlib
import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from adapter.cli.display import Display
from adapter.hpa.controller import VERSIONS, Controller
from adapter.replay.cluster import Nodes, Site
from adapter.replay.inputs import Given, of_log, of_prometheus, of_traces
from adapter.replay.workloads import WARM_DAYS, Asked, Workload, workload
from cme.core.durations import parse_duration
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.settings import Settings
from cme.log.embedded import EmbeddedLog


class DurationType(click.ParamType[int]):
    """A duration as policies have it, milliseconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True)
class PastOptions:
    """The flags, each as click gives it."""

    traces: tuple[str, ...]
    prometheus: bool
    days: int
    startup: int | None
    node: tuple[int, int] | None
    quota: int | None
    kubernetes: str
    price: float
    cores: float

    def asked(self, settings: Settings) -> Asked:
        """How pasts are to be gone through."""
        return Asked(
            settings=settings,
            controller=Controller(self.kubernetes),
            days=self.days,
            startup_ms=math.nan if self.startup is None else self.startup,
            site=Site(nodes=Nodes(*self.node) if self.node else None, quota=self.quota),
        )

    def pasts(
        self, policies: Sequence[ScalingPolicy], settings: Settings, display: Display
    ) -> list[Workload]:
        """Those of the policies. Raises InvalidInput, LogFailed, SourceFailed."""
        given = self._given(policies, settings, display)
        return [workload(policy, one, self.days) for policy, one in zip(policies, given, strict=True)]

    def _given(self, policies: Sequence[ScalingPolicy], settings: Settings, display: Display) -> list[Given]:
        days, now_ms = self.days + WARM_DAYS, time.time_ns() // 1_000_000
        if self.traces:
            return [of_traces(_only(policies), dict(_trace(text) for text in self.traces))]
        if self.prometheus:
            progress = display.progress("reading the history")
            return [asyncio.run(of_prometheus(one, settings, days, now_ms, progress)) for one in policies]
        with contextlib.closing(EmbeddedLog.open(settings.data, writable=False)) as log:
            return [of_log(one, log, days, now_ms) for one in policies]


_OPTIONS = (
    click.option(
        "--trace", "traces", metavar="SIGNAL=FILE", multiple=True, help="A past of a signal, as CSV."
    ),
    click.option("--prometheus", is_flag=True, help="Ask each signal's own Prometheus instead of the log."),
    click.option(
        "--days", type=click.IntRange(1), default=28, show_default=True, help="The newest, at most."
    ),
    click.option(
        "--startup", type=DurationType(), help="90th percentile of a pod's start.  [default: learnt, or 1m]"
    ),
    click.option(
        "--node", nargs=2, type=(click.IntRange(1), DurationType()), help="Pods per node, and its delay."
    ),
    click.option("--quota", type=click.IntRange(1), help="Pods that the namespace holds."),
    click.option(
        "--kubernetes", type=click.Choice(VERSIONS), default="1.36", show_default=True, help="Of the cluster."
    ),
    click.option(
        "--price", type=click.FloatRange(0), default=1.0, show_default=True, help="Of a replica-hour."
    ),
    click.option(
        "--cores",
        type=click.FloatRange(0, min_open=True),
        default=1.0,
        show_default=True,
        help="Of one replica.",
    ),
)


def past_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds them all to a command, which gets them as `options`."""

    @functools.wraps(command)
    def packed(**given: Any) -> None:
        own = {one.name: given.pop(one.name) for one in fields(PastOptions)}
        command(options=PastOptions(**own), **given)

    decorated: Callable[..., None] = packed
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _only(policies: Sequence[ScalingPolicy]) -> ScalingPolicy:
    if len(policies) > 1:
        raise InvalidInput(
            f"traces are of one workload, and there are {len(policies)} policies",
            "--trace",
            "name a file with one policy",
        )
    return policies[0]


def _trace(text: str) -> tuple[str, Path]:
    signal, equals, path = text.partition("=")
    if not (signal and equals and path):
        raise InvalidInput(f"{text!r} is not SIGNAL=FILE", "--trace", "write it like qps=web.csv.gz")
    return signal, Path(path)
