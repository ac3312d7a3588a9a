"""`tidecast collect` and `tidecast predict`: one role, on a log that several processes write."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from adapter.allinone import shared
from adapter.configuration.load import read_configuration
from cme.core.settings import Configuration

_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    required=True,
    help="YAML file whose settings have log.kafka.",
)
_HTTP = click.option("--http", metavar="HOST:PORT", help="/metrics, /healthz.  [default: 127.0.0.1:8080]")


@click.command()
@_CONFIG
@click.option("--data", metavar="DIR", help="Folder of what waits for brokers.  [default: tidecast-data]")
@_HTTP
def collect(config: Path, **flags: Any) -> None:
    """Measure what policies name, and write it down, until Ctrl-C."""
    _run(shared.collect, config, flags)


@click.command()
@_CONFIG
@click.option("--data", metavar="DIR", help="Folder of the engines' memory.  [default: tidecast-data]")
@_HTTP
def predict(config: Path, **flags: Any) -> None:
    """Forecast and decide, until Ctrl-C."""
    _run(shared.predict, config, flags)


def _run(role: Callable[[Configuration, shared.Say], None], config: Path, flags: dict[str, Any]) -> None:
    configuration = read_configuration(config, flags)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    role(configuration, click.echo)
