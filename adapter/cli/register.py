"""`tidecast register`: our APIServices, unless a group has another owner."""

import sys
from pathlib import Path

import click

from adapter.cli.cluster import connected, read_for_cluster, registration_of
from adapter.registration.apply import apply, authorities_file, changes, look, read_authorities


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="YAML file that `up` is given."
)
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path), help="Reach the cluster so, not as the file says."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
def register(config: Path, kubeconfig: Path | None, dry_run: bool) -> None:
    """Hand the metrics groups to tidecast, unless another server has one of them."""
    settings = read_for_cluster(config, kubeconfig).settings
    asked = registration_of(settings)
    with connected(settings) as cluster:
        plan = look(cluster, asked)
        for refusal in plan.refusals:
            click.echo(f"refused: {refusal}")
        if plan.refusals:
            sys.exit(1)
        if dry_run:
            for group, version in plan.wanted:
                click.echo(
                    f"{version}.{group}: would be applied; {group} is {plan.states.get(group, 'ours')}"
                )
            return
        due = list(changes(plan, asked, read_authorities(authorities_file(settings))))
        for how, made in due:
            apply(cluster, made)
            click.echo(f"{made['metadata']['name']}: {how}")
        if not due:
            click.echo("nothing to do: all are as they should be")
