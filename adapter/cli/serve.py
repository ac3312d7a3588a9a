"""`tidecast serve`: an adapter that follows a log elsewhere."""

import logging
from pathlib import Path
from typing import Any

import click

from adapter.allinone.serve import serve as run
from adapter.configuration.load import read_configuration


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    required=True,
    help="YAML file whose settings have followLog or log.",
)
@click.option("--data", metavar="DIR", help="Folder of the certificate.  [default: tidecast-data]")
@click.option("--http", metavar="HOST:PORT", help="Page and JSON.  [default: 127.0.0.1:8080]")
@click.option("--https", metavar="HOST:PORT", help="Metrics API.  [default: 127.0.0.1:8443]")
def serve(config: Path, **flags: Any) -> None:
    """Serve what a log elsewhere tells until Ctrl-C."""
    settings = read_configuration(config, flags).settings
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run(settings, click.echo)
