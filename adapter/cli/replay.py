"""`tidecast replay`: what a policy would have done over a past, what that would have cost, and what others would."""

import asyncio
import contextlib
import json
import math
import time
from pathlib import Path

import click

from adapter.autoscaler.live import LiveHpa, hpas
from adapter.cli.display import Display
from adapter.configuration.load import read_configuration
from adapter.configuration.yaml_file import name_of, read_documents
from adapter.hpa.controller import VERSIONS, Controller
from adapter.replay.cluster import Nodes, Site
from adapter.replay.inputs import Given, of_log, of_prometheus, of_traces
from adapter.replay.study import document
from adapter.replay.table import show
from adapter.replay.workloads import WARM_DAYS, Asked, learnt, studied, workload
from cme.core.durations import parse_duration
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.settings import Configuration
from cme.log.embedded import EmbeddedLog


class DurationType(click.ParamType[int]):
    """A duration as policies have it, milliseconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--trace", "traces", metavar="SIGNAL=FILE", multiple=True, help="A past of a signal, as CSV.")
@click.option("--prometheus", is_flag=True, help="Ask each signal's own Prometheus instead of the log.")
@click.option("--data", metavar="DIR", help="Folder of the log.  [default: the settings']")
@click.option("--days", type=click.IntRange(1), default=28, show_default=True, help="The newest, at most.")
@click.option(
    "--startup", type=DurationType(), help="90th percentile of a pod's start.  [default: learnt, or 1m]"
)
@click.option(
    "--node", nargs=2, type=(click.IntRange(1), DurationType()), help="Pods per node, and its delay."
)
@click.option("--quota", type=click.IntRange(1), help="Pods that the namespace holds.")
@click.option(
    "--hpa", "live", type=click.Path(path_type=Path), help="Compare with the HPAs of this YAML file."
)
@click.option(
    "--kubernetes", type=click.Choice(VERSIONS), default="1.36", show_default=True, help="Of the cluster."
)
@click.option("--price", type=click.FloatRange(0), default=1.0, show_default=True, help="Of a replica-hour.")
@click.option("--sweep", is_flag=True, help="Also other quantiles, and HPAs of other targets and windows.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for replay.json and report.html.")
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes for many workloads."
)
def replay(
    file: Path,
    traces: tuple[str, ...],
    prometheus: bool,
    data: str | None,
    days: int,
    startup: int | None,
    node: tuple[int, int] | None,
    quota: int | None,
    live: Path | None,
    kubernetes: str,
    price: float,
    sweep: bool,
    out: Path | None,
    jobs: int,
) -> None:
    """Go through a past under each policy of a YAML file, and under what it could be compared with."""
    configuration = read_configuration(file, {"data": data})
    if not configuration.policies:
        raise InvalidInput("there is no ScalingPolicy in it", name_of(file), "name a file with one")
    asked = Asked(
        settings=configuration.settings,
        controller=Controller(kubernetes),
        days=days,
        startup_ms=math.nan if startup is None else startup,
        site=Site(nodes=Nodes(*node) if node else None, quota=quota),
        live=_live(live),
        swept=sweep,
    )
    with Display() as display:
        given = _given(configuration, traces, prometheus, days + WARM_DAYS, display)
        pasts = [
            workload(policy, one, days) for policy, one in zip(configuration.policies, given, strict=True)
        ]
        forecasts = learnt(pasts, asked, display.progress("forecasting"))
        studies = studied(pasts, forecasts, asked, jobs, display.progress("replaying"))
    for study in studies:
        show(study, price)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "replay.json").write_text(json.dumps([document(study, price) for study in studies]))
        click.echo(f"figures: {out / 'replay.json'}")


def _live(path: Path | None) -> list[LiveHpa]:
    return hpas([document.data for document in read_documents(path)], name_of(path)) if path else []


def _given(
    configuration: Configuration, traces: tuple[str, ...], prometheus: bool, days: int, display: Display
) -> list[Given]:
    """The past of each policy."""
    policies, settings = configuration.policies, configuration.settings
    now_ms = time.time_ns() // 1_000_000
    if traces:
        return [of_traces(_only(policies), dict(_trace(text) for text in traces))]
    if prometheus:
        progress = display.progress("reading the history")
        return [asyncio.run(of_prometheus(one, settings, days, now_ms, progress)) for one in policies]
    with contextlib.closing(EmbeddedLog.open(settings.data, writable=False)) as log:
        return [of_log(one, log, days, now_ms) for one in policies]


def _only(policies: tuple[ScalingPolicy, ...]) -> ScalingPolicy:
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
