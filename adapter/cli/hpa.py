"""`tidecast hpa`: the HPA that fits a policy, or what of a live one does not."""

import sys
from pathlib import Path

import click
import yaml

from adapter.autoscaler.compare import compare
from adapter.autoscaler.live import hpas
from adapter.autoscaler.manifest import (
    LEAST_MAX_REPLICAS,
    TOLERANT_MINOR,
    ZERO_MINOR,
    floors,
    least_of,
    manifest,
    minor_of,
)
from adapter.configuration.load import read_configuration
from adapter.configuration.yaml_file import STANDARD_INPUT, name_of, read_documents
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--against",
    metavar="LIVE",
    type=click.Path(path_type=Path),
    help="Compare with the HPAs of this YAML file.",
)
@click.option(
    "--kubernetes",
    metavar="VERSION",
    default=f"1.{TOLERANT_MINOR}",
    show_default=True,
    help="Of the cluster.",
)
def hpa(file: Path, against: Path | None, kubernetes: str) -> None:
    """Print a fitting HorizontalPodAutoscaler for each ScalingPolicy of a YAML file; - is standard input."""
    minor, policies = minor_of(kubernetes), _policies(file)
    if against is None:
        click.echo("---\n".join(_printed(policy, minor) for policy in policies), nl=False)
    elif file == against == STANDARD_INPUT:
        raise InvalidInput("both files can't be standard input", "--against", "name one of them")
    else:
        sys.exit(_compare(policies, against, minor))


def _compare(policies: tuple[ScalingPolicy, ...], against: Path, minor: int) -> int:
    """Prints a line per finding; the exit code."""
    live = hpas([document.data for document in read_documents(against)], name_of(against))
    found = {policy.key: compare(policy, live, minor) for policy in policies}
    for key, findings in found.items():
        for line in map(str, findings) if findings else ["fits"]:
            click.echo(f"{key}: {line}")
    return 1 if any(found.values()) else 0


def _policies(file: Path) -> tuple[ScalingPolicy, ...]:
    policies = read_configuration(file, {}).policies
    if not policies:
        raise InvalidInput("there is no ScalingPolicy in it", name_of(file), "name a file with one")
    return policies


def _printed(policy: ScalingPolicy, minor: int) -> str:
    notes = []
    if policy.spec.limits.max_replicas is None:
        notes.append(
            f"maxReplicas is {LEAST_MAX_REPLICAS}, or what a schedule says if that is more: set what you can bear, "
            "best in the policy's limits"
        )
    if least_of(policy) == 0:
        notes.append(
            f"minReplicas 0 needs the cluster's gate HPAScaleToZero, which is on by default from 1.{ZERO_MINOR}: without it "
            "the HPA is refused"
        )
    if minor >= TOLERANT_MINOR and floors(policy) and policy.spec.scale_up.tolerance > 0:
        notes.append(
            f"this HPA has no tolerance, and the policy takes it for {policy.spec.scale_up.tolerance:g}: write "
            "scaleUp: {tolerance: 0} into the policy, or its floors are raised too far"
        )
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
