"""`tidecast explain`: what was served at a moment, and why."""

import contextlib
import math
import time
from collections.abc import Iterator
from pathlib import Path

import click

from adapter.configuration.load import read_configuration
from adapter.explain import Decision, Explainer, Explanation, format_time, parse_time
from cme.core.durations import MINUTE_MS, format_duration
from cme.core.identity import UNITS
from cme.core.reasons import explain as sentences
from cme.core.replica_record import Startup
from cme.log.opening import reading


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
    with contextlib.closing(reading(settings)) as log:
        found = Explainer(log, settings.signal_stale_ms).explain(workload, at_ms, now_ms)
    for line in told(found):
        click.echo(line)


def told(found: Explanation) -> Iterator[str]:
    """An explanation in lines."""
    yield f"{found.workload} at {format_time(found.at_ms)}"
    if found.problem is not None:
        yield found.problem
    if found.replicas is not None:
        yield f"replicas: {_value(found.replicas, '')}; {_bounds(found.replicas)}"
        yield from _why(found.replicas)
    if found.running is None:
        yield "what ran is not known"
    else:
        ran = f"{found.running.wanted} replicas were wanted, {found.running.ready} pods took load"
        yield f"{ran} {_ago(found.running.age_ms)}"
        yield from _started(found.running.startup)
    for name, decision in found.signals.items():
        unit = "" if UNITS.get(name, "1") == "1" else f" {UNITS[name]}"
        yield f"{name}: {_value(decision, unit)}"
        yield from _steps(decision, unit)
        yield from _why(decision)


def _value(decision: Decision, unit: str) -> str:
    told = decision.problem or f"{decision.value:.6g}{unit} was served"
    return f"{told}, decided {_ago(decision.age_ms)}"


def _bounds(decision: Decision) -> str:
    floor = f"the floor {decision.floor:g}" if decision.floor == decision.floor else "the floor is not known"
    return f"{floor}, the ceiling {decision.ceiling:g}" if math.isfinite(decision.ceiling) else floor


def _steps(decision: Decision, unit: str) -> Iterator[str]:
    """The numbers that the chain went through, as far as there were any."""
    for name, value, age_ms in (
        ("measured", decision.raw, decision.measured_age_ms),
        (f"predicted for {_duration(decision.lead_ms)}", decision.predicted, decision.predicted_age_ms),
        ("the largest that came within it", decision.came, None),
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
