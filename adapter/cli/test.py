"""`tidecast test`: what a policy does in scenarios that are written as text."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from adapter.cli.display import Display
from adapter.replay.report import Document, html
from adapter.replay.scenario.build import read_scenario
from adapter.replay.scenario.judge import failures
from adapter.replay.scenario.lines import BrokenScenario
from adapter.replay.scenario.play import compared, play
from adapter.replay.scenario.report import summary, told
from adapter.replay.study import document
from cme.core.errors import InvalidInput

SUFFIX = ".scenario"


@click.command()
@click.argument("paths", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--report", type=click.Path(path_type=Path), help="HTML file: each policy beside what else could be done."
)
def test(paths: tuple[Path, ...], report: Path | None) -> None:
    """Play scenarios; of a folder all files *.scenario within."""
    documents: list[Document] = []
    with Display() as display:
        codes = {
            _tested(file, display, None if report is None else documents)
            for path in paths
            for file in _files(path)
        }
    if report:
        report.write_text(html(documents, "tidecast test"))
        click.echo(f"report: {report}")
    sys.exit(max(codes))


def _files(path: Path) -> Iterator[Path]:
    """Raises InvalidInput for a folder that holds none."""
    if not path.is_dir():
        yield path
        return
    found = sorted(path.rglob(f"*{SUFFIX}"))
    if not found:
        raise InvalidInput(f"it holds no *{SUFFIX}", str(path), "name a file, or a folder with one")
    yield from found


def _tested(file: Path, display: Display, documents: list[Document] | None) -> int:
    """Prints what became of it; the exit code. Adds to `documents`, if there is to be a report."""
    try:
        scenario = read_scenario(file)
    except BrokenScenario as error:
        click.echo(str(error), err=True)
        return 2
    played = play(scenario, display.progress(f"learning {file.name}"))
    failed = failures(scenario, played)
    count = len(scenario.expectations) + len(scenario.totals)
    click.echo(
        f"{file}: {'FAILED' if failed else 'ok'}: {count - len(failed)} of {count} expectations are met"
    )
    click.echo(f"  {summary(played.whole)}")
    for failure in failed:
        for line in told(failure, scenario.zone):
            click.echo(f"  {line}")
    if documents is not None:
        found = compared(scenario, played)
        documents.append(document(found, 1.0, scenario.cores or 1.0) | {"workload": file.stem})
    return 1 if failed else 0
