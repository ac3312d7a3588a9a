"""The command `tidecast`: one file a command, errors as one line and exit code 2.

A command reads its flags and files, calls one function of another package, and shows what it says.
"""

import sys

import click

from adapter.cli.advise import advise
from adapter.cli.backtest import backtest
from adapter.cli.check import check
from adapter.cli.decompose import decompose
from adapter.cli.doctor import doctor
from adapter.cli.explain import explain
from adapter.cli.hpa import hpa
from adapter.cli.register import register
from adapter.cli.replay import replay
from adapter.cli.roles import collect, predict
from adapter.cli.serve import serve
from adapter.cli.test import test
from adapter.cli.up import up
from cme.core.errors import TidecastError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tidecast")
def tidecast() -> None:
    """Measures and forecasts the load of Kubernetes workloads and serves it to the Horizontal Pod Autoscaler."""


tidecast.add_command(up)
tidecast.add_command(collect)
tidecast.add_command(predict)
tidecast.add_command(serve)
tidecast.add_command(check)
tidecast.add_command(hpa)
tidecast.add_command(register)
tidecast.add_command(doctor)
tidecast.add_command(explain)
tidecast.add_command(decompose)
tidecast.add_command(backtest)
tidecast.add_command(replay)
tidecast.add_command(advise)
tidecast.add_command(test)


def main() -> None:
    """Entry point; a TidecastError is for the person who called, so it comes without a traceback."""
    try:
        tidecast()
    except TidecastError as error:
        print(f"tidecast: {error}", file=sys.stderr)
        sys.exit(2)
