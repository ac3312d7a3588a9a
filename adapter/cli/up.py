"""`tidecast up`: everything on this machine."""

import logging
from pathlib import Path
from typing import Any

import click

from adapter.allinone.up import Voice
from adapter.allinone.up import up as run
from adapter.cli.display import Display
from adapter.configuration.load import read_configuration
from cme.log.embedded import EmbeddedLog


@click.command()
@click.option("--demo", is_flag=True, help="Add this machine's load and three demonstration workloads.")
@click.option("--config", type=click.Path(path_type=Path), help="YAML file with settings and policies.")
@click.option("--data", metavar="DIR", help="Folder of the log.  [default: tidecast-data]")
@click.option("--http", metavar="HOST:PORT", help="Page and JSON.  [default: 127.0.0.1:8080]")
@click.option("--https", metavar="HOST:PORT", help="Metrics API.  [default: 127.0.0.1:8443]")
def up(demo: bool, config: Path | None, **flags: Any) -> None:
    """Run collector, predictor and adapter until Ctrl-C."""
    configuration = read_configuration(config, flags)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    data = configuration.settings.data
    with Display() as display:
        voice = Voice(display.say, display.progress)
        run(configuration, lambda: EmbeddedLog.open(data, writable=True), voice, demonstrate=demo)
