"""`tidecast advise`: what to change in a policy, what that would cost and miss, and what is free in the off-peak hours."""

import contextlib
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import yaml

from adapter.cli.display import Display
from adapter.cli.pasts import PastOptions, past_options
from adapter.configuration.load import read_configuration
from adapter.past import of_that_name
from adapter.replay.advice import Advice
from adapter.replay.advice import advise as advised
from adapter.replay.lineup import written
from adapter.replay.outcome import Outcome
from adapter.replay.tide import HOURS, Tide
from adapter.replay.workloads import learnt, scene_of
from cme.core.policy import ScalingPolicy
from cme.core.policy_record import recorded_policy
from cme.core.settings import Configuration
from cme.log.embedded import EmbeddedLog


@click.command()
@click.argument("workload", metavar="NAMESPACE[/KIND]/NAME")
@past_options
@click.option("--config", type=click.Path(path_type=Path), help="YAML file with settings and the policy.")
@click.option("--data", metavar="DIR", help="Folder of the log.  [default: the settings']")
@click.option(
    "--short",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Of the demand, at most.  [default: as today]",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 0.999),
    default=0.95,
    show_default=True,
    help="Of what is free.",
)
def advise(
    workload: str,
    options: PastOptions,
    config: Path | None,
    data: str | None,
    short: float | None,
    confidence: float,
) -> None:
    """Search a better policy on the first half of a past, validate it on the second, and tell the load's own tide."""
    configuration = read_configuration(config, {"data": data})
    policy = _policy(workload, configuration)
    asked = options.asked(configuration.settings)
    with Display() as display:
        (past,) = options.pasts([policy], configuration.settings, display)
        (forecasts,) = learnt([past], asked, display.progress("forecasting"))
        scene = scene_of(past, forecasts, asked)
        found = advised(policy, scene, None if short is None else short / 100, confidence)
    for line in told(found, options.price, options.cores):
        click.echo(line)


def told(found: Advice, price: float, cores: float) -> Iterator[str]:
    """An advice in lines."""
    yield f"{found.today.workload}: searched on the first half of the past, validated on the second"
    yield f"today:    {_figures(found.before, price)}"
    if found.proposed == found.today:
        yield "nothing better was found"
    else:
        yield f"proposed: {_figures(found.after, price)}"
        yield from _difference(found.today, found.proposed)
    yield from _tide(found.tide, cores)


def _figures(outcome: Outcome, price: float) -> str:
    return (
        f"{outcome.replica_hours:,.0f} replica-hours, cost {outcome.replica_hours * price:,.2f}, short of "
        f"{100 * outcome.short:.3f} % of the demand in {outcome.minutes_short:,.0f} minutes, {100 * outcome.over:.1f} % over"
    )


def _difference(today: ScalingPolicy, proposed: ScalingPolicy) -> Iterator[str]:
    before, after = (yaml.safe_dump(written(one), sort_keys=False).splitlines() for one in (today, proposed))
    yield from difflib.unified_diff(before, after, "today", "proposed", lineterm="")


def _tide(found: Tide | None, cores: float) -> Iterator[str]:
    if found is None:
        yield "its tide: not enough whole days are known"
        return
    yield f"its tide in {found.zone}, over {found.days} days, at a confidence of {found.confidence:g}; cores:"
    yield "hour   usual    used    free"
    free = found.free()
    for hour in range(HOURS):
        numbers = (found.typical[hour] * cores, found.most[hour] * cores, free[hour] * cores)
        yield f"{hour:02d}:00 " + " ".join(f"{number:7,.0f}" for number in numbers)
    if found.off_peak:
        first, length = found.off_peak
        least = min(free[(first + hour) % HOURS] for hour in range(length)) * cores
        yield (
            f'off-peak: start "0 {first} * * *", duration {length}h, timeZone {found.zone}: {least:,.0f} cores of the peak\'s '
            f"are free all the time on {100 * found.confidence:g} % of the days"
        )
    else:
        yield "off-peak: none; the hours differ too little"


def _policy(name: str, configuration: Configuration) -> ScalingPolicy:
    """Of the file, or of what is in effect by the log. Raises InvalidInput naming what there is."""
    policies: Sequence[ScalingPolicy] = configuration.policies
    if not policies:
        with contextlib.closing(EmbeddedLog.open(configuration.settings.data, writable=False)) as log:
            policies = [one for batch in log.newest("policies") if (one := recorded_policy(batch))]
    known = [(one.workload, one) for one in policies]
    return of_that_name(known, name, "it has no policy", "there are")
