"""`tidecast check`: every problem of policies and settings before they are used."""

import sys
from pathlib import Path

import click

from adapter.configuration.check import check as checked


@click.command()
@click.argument("files", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1, required=True)
def check(files: tuple[Path, ...]) -> None:
    """Validate policies and settings in YAML files; - is standard input."""
    report = checked(files)
    for line in (*report.valid, *report.notes, *report.problems):
        click.echo(line)
    sys.exit(1 if report.problems else 0)
