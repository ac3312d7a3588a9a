"""`tidecast replay`: what a policy would have done over a past, what that would have cost, and what others would."""

import json
from dataclasses import replace
from pathlib import Path

import click

from adapter.autoscaler.live import LiveHpa, hpas
from adapter.cli.display import Display
from adapter.cli.pasts import PastOptions, past_options
from adapter.configuration.load import read_configuration
from adapter.configuration.yaml_file import name_of, read_documents
from adapter.replay.report import html
from adapter.replay.study import document
from adapter.replay.table import show
from adapter.replay.workloads import learnt, studied
from cme.core.errors import InvalidInput


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@past_options
@click.option("--data", metavar="DIR", help="Folder of the log.  [default: the settings']")
@click.option(
    "--hpa", "live", type=click.Path(path_type=Path), help="Compare with the HPAs of this YAML file."
)
@click.option("--sweep", is_flag=True, help="Also other quantiles, and HPAs of other targets and windows.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for report.html and replay.json.")
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes for many workloads."
)
def replay(
    file: Path,
    options: PastOptions,
    data: str | None,
    live: Path | None,
    sweep: bool,
    out: Path | None,
    jobs: int,
) -> None:
    """Go through a past under each policy of a YAML file, and under what it could be compared with."""
    configuration = read_configuration(file, {"data": data})
    if not configuration.policies:
        raise InvalidInput("there is no ScalingPolicy in it", name_of(file), "name a file with one")
    asked = replace(options.asked(configuration.settings), live=_live(live), swept=sweep)
    with Display() as display:
        pasts = options.pasts(configuration.policies, configuration.settings, display)
        forecasts = learnt(pasts, asked, display.progress("forecasting"))
        studies = studied(pasts, forecasts, asked, jobs, display.progress("replaying"))
    for study in studies:
        show(study, options.price, options.cores)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        documents = [document(study, options.price, options.cores) for study in studies]
        (out / "replay.json").write_text(json.dumps(documents))
        report = out / "report.html"
        report.write_text(html(documents, f"tidecast replay of {file.name}"))
        click.echo(f"report: {report}; its figures: {out / 'replay.json'}")


def _live(path: Path | None) -> list[LiveHpa]:
    return hpas([document.data for document in read_documents(path)], name_of(path)) if path else []
