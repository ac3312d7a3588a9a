"""`tidecast hpa`: the HPA that fits a policy."""

from pathlib import Path

import click
import yaml

from adapter.autoscaler.manifest import LEAST_MAX_REPLICAS, TOLERANT_MINOR, manifest, minor_of
from adapter.configuration.load import read_configuration
from adapter.configuration.yaml_file import name_of
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--kubernetes",
    metavar="VERSION",
    default=f"1.{TOLERANT_MINOR}",
    show_default=True,
    help="Of the cluster.",
)
def hpa(file: Path, kubernetes: str) -> None:
    """Print a fitting HorizontalPodAutoscaler for each ScalingPolicy of a YAML file; - is standard input."""
    minor = minor_of(kubernetes)
    click.echo("---\n".join(_printed(policy, minor) for policy in _policies(file)), nl=False)


def _policies(file: Path) -> tuple[ScalingPolicy, ...]:
    policies = read_configuration(file, {}).policies
    if not policies:
        raise InvalidInput("there is no ScalingPolicy in it", name_of(file), "name a file with one")
    return policies


def _printed(policy: ScalingPolicy, minor: int) -> str:
    notes = [
        f"maxReplicas is {LEAST_MAX_REPLICAS}, or what a schedule says if that is more: set what you can bear"
    ]
    if minor < TOLERANT_MINOR:
        notes.append(
            f"Kubernetes 1.{minor} does not follow changes of up to 10 %; it can be told to from 1.{TOLERANT_MINOR}"
        )
    document = yaml.dump(manifest(policy, minor), Dumper=_NoAliases, sort_keys=False)
    return "".join(f"# {note}\n" for note in notes) + document


class _NoAliases(yaml.SafeDumper):
    """Writes what occurs twice twice: people copy and change one of them."""

    def ignore_aliases(self, data: object) -> bool:
        return True
