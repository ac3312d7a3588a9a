"""`tidecast decompose`: a series of the log as trend, day, week and rest."""

import contextlib
import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from adapter.past import Hours, Names, read_hours
from cme.core.durations import HOUR_MS
from cme.core.settings import Settings
from cme.log.embedded import EmbeddedLog
from predictor.models.decompose import Decomposition
from predictor.models.decompose import decompose as split

DAYS = 28


@click.command()
@click.argument("workload", metavar="NAMESPACE[/KIND]/NAME")
@click.argument("signal")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the log.  [default: tidecast-data]")
@click.option("--json", "as_json", is_flag=True, help="Every hour, as JSON.")
def decompose(workload: str, signal: str, data: Path | None, as_json: bool) -> None:
    """Show the last 28 days of a signal as trend, day, week and rest."""
    with contextlib.closing(EmbeddedLog.open(data or Settings().data, writable=False)) as log:
        hours = read_hours(log, Names(log).series(workload, signal), DAYS * 24)
    parts = split(hours.means)
    if as_json:
        click.echo(json.dumps(_columns(hours, parts)))
    else:
        _show(hours, parts)


def _columns(hours: Hours, parts: Decomposition) -> dict[str, Any]:
    named = {"trend": parts.trend, "day": parts.day, "week": parts.week, "rest": parts.rest}
    columns = {name: [None if np.isnan(v) else v for v in part.tolist()] for name, part in named.items()}
    return {"ends_ms": hours.ends_ms.tolist(), "strengths": parts.strengths, **columns}


def _show(hours: Hours, parts: Decomposition) -> None:
    """Strengths, the trend's ends, and the day as it usually goes."""
    trend = parts.trend[np.isfinite(parts.trend)]
    click.echo(f"{len(hours.means)} hours; the trend goes from {trend[0]:.4g} to {trend[-1]:.4g}")
    for name, strength in parts.strengths.items():
        click.echo(f"strength of the {name}: {strength:.2f} (0 none, 1 nothing else moves)")
    table = Table("hour (UTC)", "usual deviation", "standard deviation of the rest")
    of_day = (hours.ends_ms // HOUR_MS - 1) % 24
    for hour in range(24):
        day, rest = parts.day[of_day == hour], parts.rest[of_day == hour]
        table.add_row(f"{hour:02d}", f"{np.nanmean(day):+.4g}", f"{np.nanstd(rest):.4g}")
    Console().print(table)
