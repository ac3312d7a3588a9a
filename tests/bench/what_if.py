"""What shortage costs under each way of scaling: `python -m tests.bench.what_if TRACES [--days N] [--jobs N] [--out DIR]`.

On every trace of a folder with steps of a minute or less: what comes is constant within a step, a replica carries a
fortieth of the peak, and a pod's start takes a minute at the 90th percentile. Each way has one setting that trades shortage
for cost; for each setting of tidecast the cheapest reactive HPA of the grid that is short by at most 5 % more gives the
ratio of what both provide in vain. The aim: at most HALF of it in the median of the traces, better AIM.

What noise allows is told beside it, by the same ratio: of a seer who knows the mean of the five minutes around each moment, the
future among them, adds the margin that this trace's own deviations call for, and whose pods start at once.
"""

import statistics
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from adapter.hpa.controller import Controller
from adapter.hpa.spec import Behavior, Policy, PolicyType, ScaleDown
from adapter.replay.baselines import reactive
from adapter.replay.cluster import Site
from adapter.replay.contender import Autoscaler, Contender
from adapter.replay.forecasts import Forecasts, Series
from adapter.replay.learning import forecasts_of
from adapter.replay.lineup import PERCENTS, QUANTILES, TIDECAST, schedules_only, sweep
from adapter.replay.load import Load
from adapter.replay.outcome import Demand, outcome
from adapter.replay.past import Past
from adapter.replay.report import html
from adapter.replay.study import Result, Study, document, study
from cme.core.durations import DAY_MS, MINUTE_MS, SECOND_MS
from cme.core.policy import ScalingPolicy
from cme.core.settings import Settings
from predictor.backtest.reading import read
from tests.bench.crane import crane

SEER, SEEN_MS = "seer of five minutes", 5 * MINUTE_MS
HALF, AIM, ALIKE = 0.50, 0.35, 1.05
MONDAY_MS = 1_767_571_200_000
"""At which all traces begin: what is learnt is shared as in one cluster, and none sees what comes later."""
REPLICAS_AT_PEAK = 40
STEP_S = 60
CONTROLLER = Controller("1.36")
SHARES = (0.6, 0.8, 1.0, 1.2, 1.5)
"""Of the largest load that an hour of the day has seen, for schedules alone."""


@dataclass(frozen=True)
class Scene:
    """A trace as a load, replayed from `since_ms` on."""

    name: str
    load: Load
    since_ms: int
    until_ms: int

    @property
    def per_replica(self) -> float:
        return float(np.nanmax(self.load.values)) / REPLICAS_AT_PEAK


def scene(path: Path, days: int) -> Scene | None:
    """None of a trace with longer steps. Scored as in a backtest."""
    trace = read(path)
    if trace.step_s > STEP_S:
        return None
    step_ms = trace.step_s * SECOND_MS
    since = MONDAY_MS + int(trace.origins[0]) * step_ms
    last = MONDAY_MS + int(trace.origins[-1]) * step_ms
    until = min(last, since + days * DAY_MS) // MINUTE_MS * MINUTE_MS
    load = Load(MONDAY_MS, step_ms, trace.values[None, : (until - MONDAY_MS) // step_ms])
    return Scene(trace.name, load, since, until)


def policy(one: Scene, schedules: Sequence[dict[str, object]] = ()) -> ScalingPolicy:
    """That lets go at once, so that the quantile alone says how much is provided."""
    return ScalingPolicy.model_validate(
        {
            "apiVersion": "tidecast.dev/v1alpha1",
            "kind": "ScalingPolicy",
            "metadata": {"name": "web", "namespace": "bench"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "signals": [{"name": "load", "source": {"x": {}}, "perReplica": one.per_replica}],
                "forecast": {"lead": "2m"},
                "scaleDown": {"window": "0s"},
                "limits": {"minReplicas": 1, "maxReplicas": 5 * REPLICAS_AT_PEAK},
                "schedules": list(schedules),
            },
        }
    )


def contenders(one: Scene) -> Iterator[Contender]:
    """All that need no forecast but ours."""
    plain = policy(one)
    yield from sweep(plain, CONTROLLER)
    for percent in PERCENTS:
        careful = Behavior(down=ScaleDown(300, policies=(Policy(PolicyType.PERCENT, 10, 60),)))
        hpa = reactive(plain, percent, 300, CONTROLLER)
        assert hpa.autoscaler
        spec = replace(hpa.autoscaler.spec, behavior=careful)
        yield replace(hpa, family="HPA 300 s, 10 % a minute", autoscaler=replace(hpa.autoscaler, spec=spec))
    for share in SHARES:
        yield replace(
            schedules_only(policy(one, hourly(one, share)), CONTROLLER),
            setting=f"{share:g} x the hour's largest",
        )


def hourly(one: Scene, share: float) -> list[dict[str, object]]:
    """Floors for each hour of the day, by what the days before have shown."""
    demand = Past(one.load, {"load": 0}, {"load": one.per_replica}, {}).demand.within(MONDAY_MS, one.since_ms)
    hours = (demand.edges_ms[:-1] // (60 * MINUTE_MS)) % 24
    floors = [int(np.ceil(share * np.nanmax(demand.needed[hours == hour], initial=0))) for hour in range(24)]
    return [
        {"name": f"h{hour}", "start": f"0 {hour} * * *", "duration": "1h", "minReplicas": max(1, floor)}
        for hour, floor in enumerate(floors)
    ]


def maxima(one: Scene) -> Iterator[Contender]:
    """Crane's way: the HPA takes the larger of what is measured and the largest that is forecast of the next hour."""
    plain = policy(one)
    for percent in PERCENTS:
        hpa = reactive(plain, percent, 300, CONTROLLER).autoscaler
        assert hpa
        spec = replace(hpa.spec, metrics=hpa.spec.metrics * 2)
        both = Autoscaler(spec, ("load", "load_predicted"), CONTROLLER)
        yield Contender("Crane-style maximum", f"{percent} %", plain, both)


def seen(one: Scene, demand: Demand) -> Iterator[Result]:
    """The seer's sizes, one for each margin."""
    known = np.nan_to_num(demand.needed)
    width = max(1, SEEN_MS // one.load.step_ms)
    mean = np.convolve(known, np.ones(width) / width, "same")
    spread = np.sqrt(np.maximum(mean, 0.05))
    for quantile in QUANTILES:
        margin = np.quantile(
            (known - mean)[np.isfinite(demand.needed)] / spread[np.isfinite(demand.needed)], quantile
        )
        sizes = np.ceil(np.maximum(mean + margin * spread, 0)).astype(int).tolist()
        changes = list(zip(demand.edges_ms[:-1].tolist(), sizes, strict=True))
        yield Result(SEER, f"q {quantile:g}", outcome(demand, changes, changes), changes, changes)


def studied(one: Scene, forecasts: Forecasts) -> Study:
    def past(said: Forecasts) -> Past:
        return Past(one.load, {"load": 0}, {"load": one.per_replica}, {"load": said})

    span = one.since_ms, one.until_ms
    found = study(list(contenders(one)), past(forecasts), Site(), *span)
    others = study(list(maxima(one)), past(crane(one.load, one.since_ms)), Site(), *span)
    *own, best = found.results
    return replace(
        found, workload=one.name, results=(*own, *others.results[:-1], *seen(one, found.demand), best)
    )


def ratios(one: Study, family: str = TIDECAST) -> list[float]:
    """By setting of a family that some reactive one comes up to."""
    grid = [result for result in one.results if result.family.startswith("HPA")]
    found = []
    for result in one.results:
        if result.family != family:
            continue
        alike = [r.outcome.over for r in grid if r.outcome.short <= ALIKE * result.outcome.short]
        if alike and result.outcome.short > 0:
            found.append(result.outcome.over / max(min(alike), 1e-9))
    return found


def unreached(one: Study) -> int:
    """Settings of tidecast that are short by less than any reactive one."""
    return sum(r.family == TIDECAST for r in one.results) - len(ratios(one))


def line(one: Study) -> str:
    found, best = ratios(one), one.results[-1].outcome.over
    told = " ".join(f"{ratio:.2f}" for ratio in found) or "-"
    beyond = f" ({unreached(one)} beyond the grid)" if unreached(one) else ""
    return (
        f"{one.workload:18s} {_median(found):>5s}, the seer {_median(ratios(one, SEER)):>5s}; hindsight's over {best:.3f}; "
        f"by quantile: {told}{beyond}"
    )


def _median(found: Sequence[float]) -> str:
    return f"{statistics.median(found):.2f}" if found else "-"


@click.command()
@click.argument("traces", type=click.Path(path_type=Path, exists=True))
@click.option("--days", type=int, default=28)
@click.option("--jobs", type=int, default=2)
@click.option("--out", type=click.Path(path_type=Path))
def main(traces: Path, days: int, jobs: int, out: Path | None) -> None:
    """Print the ratios, and write the report of all contenders."""
    scenes = [one for path in sorted(traces.glob("*.csv.gz")) if (one := scene(path, days))]
    series = [Series(number, one.load, 0) for number, one in enumerate(scenes, 1)]
    said = forecasts_of(series, min(one.since_ms for one in scenes), {}, Settings().rate_window, _told)
    studies: list[Study] = []
    with ProcessPoolExecutor(jobs) as pool:
        for found in pool.map(studied, scenes, [said[s.id] for s in series]):
            print(line(found), flush=True)
            studies.append(found)
    for family in (SEER, TIDECAST):
        medians = [statistics.median(r) for one in studies if (r := ratios(one, family))]
        reached = statistics.median(medians)
        print(f"{family}: over-provision at equal shortage, median of {len(medians)} traces: {reached:.2f}")
    print(f"wanted {HALF}, aim {AIM}")
    if out:
        out.mkdir(parents=True, exist_ok=True)
        report = html(
            [document(found, 1.0, 1.0) for found in studies], "what shortage costs under each way of scaling"
        )
        (out / "what_if.html").write_text(report)


def _told(done: int, total: int) -> None:
    if done % 10_000 == 0:
        print(f"{done} of {total} minutes learnt", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
