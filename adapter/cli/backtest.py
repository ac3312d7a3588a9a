"""`tidecast backtest`: what the engine would have forecast on a past, and how good that would have been."""

import asyncio
import time
from pathlib import Path

import click

from adapter.backtest.history import fetch, write_traces
from adapter.backtest.report import html
from adapter.backtest.results import results_of
from adapter.cli.display import Display
from cme.core.errors import InvalidInput
from cme.core.settings import Connection
from predictor.backtest import run
from predictor.backtest.table import printed, scored
from predictor.backtest.traces import Trace
from predictor.presets import PRESETS


@click.command()
@click.argument("traces", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for forecasts and report."
)
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes for files and scores."
)
@click.option(
    "--preset", type=click.Choice(sorted(PRESETS)), default="best", show_default=True, help="Which engine."
)
@click.option("--prometheus", metavar="URL", help="Read the history of this Prometheus instead of a folder.")
@click.option("--query", metavar="PROMQL", help="With --prometheus: what to forecast, one trace per series.")
@click.option(
    "--days", type=click.IntRange(2), default=28, show_default=True, help="With --prometheus: how many."
)
def backtest(
    traces: Path | None,
    out: Path,
    jobs: int,
    preset: str,
    prometheus: str | None,
    query: str | None,
    days: int,
) -> None:
    """Replay a folder of traces (<series>.csv.gz with the columns timestamp and value) through the engine."""
    with Display() as display:
        if prometheus:
            traces = _history(prometheus, query or "", days, out / "traces", display)
        elif traces is None:
            raise InvalidInput(
                "there is nothing to replay", "backtest", "name a folder of traces, or --prometheus"
            )
        replayed = run(traces, out, jobs, display.progress("replaying"), PRESETS[preset])
    for trace in replayed:
        _warn(trace)
    scores = scored(replayed, out, jobs)
    table = printed(scores)
    click.echo(table)
    report = out / "report.html"
    title = f"tidecast backtest of {len(replayed)} series"
    report.write_text(html(results_of(replayed, scores, out), title, table))
    click.echo(f"report: {report}")


def _warn(trace: Trace) -> None:
    """Say where the rows of a trace are not what the replay takes them for."""
    if len(trace.uneven):
        click.echo(
            f"{trace.name}: {len(trace.uneven)} rows are not {trace.step_s} s behind the row above, the first at "
            f"{trace.times[trace.uneven[0]]}; they are taken to be: write a row for every step, without a value "
            "where there is none",
            err=True,
        )


def _history(url: str, query: str, days: int, folder: Path, display: Display) -> Path:
    """Fetch into a folder of traces."""
    if not query:
        raise InvalidInput("--prometheus needs a --query", "backtest", "say what to forecast in PromQL")
    now_ms = time.time_ns() // 1_000_000
    progress = display.progress("reading the history")
    found = asyncio.run(fetch(Connection(address=url), query, days, now_ms, progress))
    for name in write_traces(folder, found):
        click.echo(f"{name}: left out, it is shorter than a day", err=True)
    return folder
