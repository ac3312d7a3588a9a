"""`tidecast doctor`: does a cluster fit, before and after installation?"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from adapter.cli.cluster import connected, read_for_cluster, registration_of
from adapter.configuration.check import check
from adapter.doctor.checks import examine
from adapter.doctor.facts import Asked, Finding
from adapter.doctor.read import Cluster, of_kind, read_facts
from cme.core.errors import KubeFailed
from cme.core.settings import Configuration
from cme.policies.objects import PATH, PolicyObjects
from cme.policies.standing import Standing, in_effect, read, side_by_side


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="YAML file that `up` is given."
)
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path), help="Reach the cluster so, not as the file says."
)
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
def doctor(config: Path, kubeconfig: Path | None, as_json: bool) -> None:
    """Check a cluster before and after installation; needs the rights of an administrator."""
    findings = _problems(config) or _examined(config, kubeconfig)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(finding)
    sys.exit(1 if any(finding.level == "error" for finding in findings) else 0)


def _problems(config: Path) -> list[Finding]:
    """Of settings and policies: with any of them nothing else can be told."""
    return [Finding("error", "policies", str(problem)) for problem in check((config,)).problems]


def _standings(cluster: Cluster, configuration: Configuration) -> list[Standing]:
    """Of the file's policies and the cluster's. Raises KubeFailed."""
    objects, settings = PolicyObjects(), configuration.settings
    objects.begin(of_kind(cluster, PATH), 0)
    written = [read(one.key, one.document, None, settings) for one in objects.newest]
    return side_by_side(
        [*map(Standing.valid, configuration.policies), *written], settings.policies_per_namespace
    )


def _refused(standings: Sequence[Standing]) -> Iterator[Finding]:
    for standing in standings:
        if standing.problem:
            yield Finding("error", "policies", f"{standing.key} is refused: {standing.problem}")


def _examined(config: Path, kubeconfig: Path | None) -> list[Finding]:
    configuration = read_for_cluster(config, kubeconfig)
    settings = configuration.settings
    registration = registration_of(settings)
    try:
        with connected(settings) as cluster:
            standings = _standings(cluster, configuration)
            asked = Asked(registration, in_effect(standings))
            return [*examine(asked, read_facts(cluster, settings, asked)), *_refused(standings)]
    except KubeFailed as error:
        return [Finding("error", "API server", f"{error}; is this the right kubeconfig?")]
