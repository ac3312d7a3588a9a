"""`tidecast explain`: what was served at a moment, and why."""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from adapter.configuration.load import read_configuration
from adapter.explain import Decision, Explainer, Explanation, parse_time
from cme.core.durations import MINUTE_MS, format_duration
from cme.core.identity import UNITS
from cme.core.reasons import explain as sentences
from cme.core.replica_record import Startup
from cme.log.embedded import EmbeddedLog


@click.command()
@click.argument("workload", metavar="NAMESPACE[/KIND]/NAME")
@click.option("--at", metavar="TIME", help="ISO 8601, UTC unless it says otherwise.  [default: now]")
@click.option("--config", type=click.Path(path_type=Path), help="YAML file that `up` was given.")
@click.option("--data", metavar="DIR", help="Folder of the log.  [default: tidecast-data]")
def explain(workload: str, at: str | None, config: Path | None, data: str | None) -> None:
    """Tell from the log what was decided for a workload, from which numbers, and why."""
    settings = read_configuration(config, {"data": data}).settings
    now_ms = time.time_ns() // 1_000_000
    at_ms = now_ms if at is None else parse_time(at, "--at")
    with contextlib.closing(EmbeddedLog.open(settings.data, writable=False)) as log:
        found = Explainer(log, settings.signal_stale_ms).explain(workload, at_ms, now_ms)
    for line in told(found):
        click.echo(line)


def told(found: Explanation) -> Iterator[str]:
    """An explanation in lines."""
    yield f"{found.workload} at {datetime.fromtimestamp(found.at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    if found.replicas is None:
        limit = format_duration(found.limit_ms)
        yield f"no decision was served: the log has none of the {limit} before; was the predictor running?"
    else:
        floor = found.replicas.floor
        told_floor = f"the floor {floor:g}" if floor == floor else "the floor is not known"
        yield f"replicas: {_value(found.replicas, '', found)}; {told_floor}"
        yield from _why(found.replicas)
    if found.running is None:
        yield "what ran is not known"
    else:
        ran = f"{found.running.wanted} replicas were wanted, {found.running.ready} pods took load"
        yield f"{ran} {_ago(found.running.age_ms)}"
        yield from _started(found.running.startup)
    for name, decision in found.signals.items():
        unit = "" if UNITS.get(name, "1") == "1" else f" {UNITS[name]}"
        yield f"{name}: {_value(decision, unit, found)}"
        yield from _steps(decision, unit)
        yield from _why(decision)


def _value(decision: Decision, unit: str, found: Explanation) -> str:
    when = f"decided {_ago(decision.age_ms)}"
    if decision.served:
        return f"{decision.value:.6g}{unit} was served, {when}"
    if decision.value != decision.value:
        return f"nothing was served, {when}"
    limit = format_duration(found.limit_ms)
    return f"nothing was served: the {decision.value:.6g}{unit} {when} rest on what was older than {limit}"


def _steps(decision: Decision, unit: str) -> Iterator[str]:
    """The numbers that the chain went through, as far as there were any."""
    for name, value, age_ms in (
        ("measured", decision.raw, decision.measured_age_ms),
        (f"predicted for {_duration(decision.lead_ms)}", decision.predicted, decision.predicted_age_ms),
        ("one replica gets through, per second", decision.drain, None),
        ("needed", decision.need, None),
        ("after the slow scale-down", decision.slowed, None),
    ):
        if value == value:
            yield f"  {name}: {value:.6g}{unit}" + ("" if age_ms is None else f", {_ago(age_ms)}")


def _started(startup: Startup | None) -> Iterator[str]:
    if startup is not None:
        steps = f", {startup.steps} one after the other" if startup.steps > 1 else ""
        yield f"a replica starts within {_duration(startup.duration_ms)} (.9 of {startup.count} starts{steps})"


def _duration(ms: float) -> str:
    """To the second; of an older version's record there is none."""
    return format_duration(round(ms / 1000) * 1000) if ms == ms else "the lead"


def _why(decision: Decision) -> Iterator[str]:
    yield from (f"  - {sentence}" for sentence in sentences(decision.reasons))


def _ago(age_ms: int) -> str:
    """To the tenth of a second, as long as that matters."""
    if age_ms < MINUTE_MS:
        return f"{age_ms / 1000:.1f} s before"
    return f"{format_duration(age_ms // 1000 * 1000)} before"
