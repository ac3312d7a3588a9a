"""How long a replay takes: `python -m tests.bench.replay [--workloads N] [--jobs N]`.

One workload's 28 days after two weeks that are learnt from only, at a sync of 15 s under four policies; the load is a tide with
noise, minute by minute. At most FORECAST_S with the forecasts, which are made once and shared, and REPLAY_S without. Of many
workloads a day each, learnt together and replayed by processes.
"""

import time
from dataclasses import dataclass

import click
import numpy as np

from adapter.hpa.controller import Controller
from adapter.replay.cluster import Site
from adapter.replay.inputs import Given
from adapter.replay.lineup import tidecast, with_quantile
from adapter.replay.load import Load
from adapter.replay.study import study
from adapter.replay.workloads import Asked, Workload, learnt, past_of, studied, workload
from cme.core.durations import DAY_MS, MINUTE_MS
from cme.core.policy import ScalingPolicy
from cme.core.progress import silent
from cme.core.settings import Settings

FORECAST_S, REPLAY_S = 90, 25
DAYS, WARM_DAYS = 28, 14
QUANTILES = (0.5, 0.9, 0.95, 0.99)
START_MS = 1_767_571_200_000
ASKED = Asked(Settings(), Controller("1.36"), DAYS)


@dataclass
class Timer:
    wall: float
    processor: float

    @classmethod
    def start(cls) -> "Timer":
        return cls(time.perf_counter(), time.process_time())

    def told(self, what: str) -> None:
        """Print what has passed, and begin anew."""
        wall, processor = time.perf_counter() - self.wall, time.process_time() - self.processor
        print(f"{what}: {wall:.1f} s, of the processor {processor:.1f} s", flush=True)
        self.wall, self.processor = time.perf_counter(), time.process_time()


def policy(name: str) -> ScalingPolicy:
    return ScalingPolicy.model_validate(
        {
            "apiVersion": "tidecast.dev/v1alpha1",
            "kind": "ScalingPolicy",
            "metadata": {"name": name, "namespace": "bench"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "signals": [{"name": "qps", "source": {"x": {}}, "perReplica": 100}],
                "forecast": {"quantile": 0.95, "lead": "150s"},
                "scaleDown": {"window": "5m", "maxDecrease": "20%/1m"},
            },
        }
    )


def past(name: str, days: int, seed: int) -> Workload:
    """A tide from 500 to 3500 with noise."""
    draws = np.random.default_rng(seed)
    minutes = np.arange(days * DAY_MS // MINUTE_MS)
    values = (2000 + 1500 * np.sin(minutes / 1440 * 2 * np.pi)) * draws.lognormal(0, 0.08, len(minutes))
    return workload(policy(name), Given(Load(START_MS, MINUTE_MS, values[None]), {"qps": 0}), DAYS)


@click.command()
@click.option("--workloads", type=int, default=100)
@click.option("--jobs", type=int, default=2)
def main(workloads: int, jobs: int) -> None:
    """Print both."""
    one = past("web", DAYS + WARM_DAYS, 0)
    timer = Timer.start()
    (forecasts,) = learnt([one], ASKED, silent)
    timer.told(f"forecasts of {DAYS} days after {WARM_DAYS} (with the replay at most {FORECAST_S} s)")
    contenders = [
        tidecast(with_quantile(one.policy, quantile), ASKED.controller, f"q {quantile:g}")
        for quantile in QUANTILES
    ]
    known = past_of(one, forecasts, ASKED.settings)
    study(contenders, known, Site(), one.since_ms, one.until_ms)
    timer.told(f"replay of {DAYS} days under {len(contenders)} policies (at most {REPLAY_S} s)")
    many = [past(f"web-{number}", 2, number) for number in range(workloads)]
    timer = Timer.start()
    said = learnt(many, ASKED, silent)
    timer.told(f"forecasts of {workloads} workloads for a day after a day")
    studied(many, said, ASKED, jobs, silent)
    timer.told(f"their replay by {jobs} processes, three policies each")


if __name__ == "__main__":
    main()
