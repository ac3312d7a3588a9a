"""Contenders over a past: production's chain and the HPA decide, nothing else."""

import numpy as np

from adapter.hpa.controller import Controller
from adapter.replay.baselines import reactive, static
from adapter.replay.chain import Chain
from adapter.replay.cluster import Site, Startup
from adapter.replay.contender import Contender, following
from adapter.replay.load import Load
from adapter.replay.outcome import outcome
from adapter.replay.past import Past
from adapter.replay.simulate import SYNC_MS, simulate
from cme.core.policy import ScalingPolicy
from predictor.decide.chain import decide
from predictor.decide.measured import Limits, Measured
from predictor.decide.rules import Running, compile_rules
from predictor.decide.slow import SlowScaleDown
from tests.unit.adapter.replay.past import ARRIVALS, BACKLOG, MINUTE, START, forecasts, past, policy

CONTROLLER = Controller("1.36")
AT_ONCE = Site(Startup(0))
WAVE = [1000 + 900 * np.sin(minute / 20) + 50 * (minute * 7 % 11) for minute in range(180)]


def following_at_once(made: ScalingPolicy, family: str = "tidecast") -> Contender:
    return Contender(family, "", made, following(made, CONTROLLER))


def test_what_is_decided_is_what_production_decides_tick_by_tick() -> None:
    made = policy(
        scaleDown={"window": "4m", "maxDecrease": "10%/1m", "hold": "20m"},
        schedules=[{"name": "s", "start": "30 * * * *", "duration": "10m", "minReplicas": 25}],
    )
    known = past(WAVE, ahead=1.3)
    times = np.arange(START + 5 * MINUTE, START + 170 * MINUTE, SYNC_MS)
    chain, rules = Chain([made], known, times), compile_rules([made])
    slow = SlowScaleDown(rules)
    raw = known.measured(times)[0]
    for sync, now in enumerate(times.tolist()):
        newest = (now - 10_000) // MINUTE * MINUTE
        measured = chain._measured
        one = Measured(*(getattr(measured, name)[sync] for name in Measured.__dataclass_fields__))
        assert one.raw[0] == raw[sync]
        assert one.predicted_ms[0] == newest
        assert one.predicted[0] != raw[sync]
        assert np.isfinite(one.again[0])
        wanted = np.array([float(10 + sync % 7)])
        running = Running(wanted, np.array([np.nan]), np.array([np.nan]))
        expected = decide(rules, slow, one, running, Limits(60_000, 180_000), now)
        found = chain.decide(sync, wanted, None)
        for name in ("need", "slowed", "value", "reasons", "replicas", "floor", "replica_reasons"):
            assert getattr(found, name).tolist() == getattr(expected, name).tolist(), (name, sync)


def test_capacity_follows_the_decision() -> None:
    (run,) = simulate(
        [following_at_once(policy())], past(WAVE, ahead=0), AT_ONCE, START + MINUTE, START + 180 * MINUTE
    )
    sizes = dict(run.cluster.paid)
    for time, size in sizes.items():
        measured = past(WAVE).measured(np.array([time]))[0, 0]
        assert size == max(1, np.ceil(round(measured / 100, 9)))
    assert len(sizes) > 50


def test_contenders_do_not_disturb_one_another() -> None:
    contenders = [
        following_at_once(policy(), "one"),
        reactive(policy(), 70, 300, CONTROLLER),
        following_at_once(policy(scaleDown={"window": "10m", "maxDecrease": "10%/1m"}), "slow"),
        static(policy(), 30),
    ]
    span = START + MINUTE, START + 180 * MINUTE
    together = simulate(contenders, past(WAVE, ahead=1.2), Site(), *span)
    for one, run in zip(contenders, together, strict=True):
        (alone,) = simulate([one], past(WAVE, ahead=1.2), Site(), *span)
        assert (run.cluster.ready, run.cluster.paid) == (alone.cluster.ready, alone.cluster.paid)
    assert together[3].cluster.paid == [(span[0], 30)]
    assert len({str(run.cluster.paid) for run in together}) == 4


def test_an_error_leaves_the_size_alone() -> None:
    values = [1000.0] * 10 + [float("nan")] * 10 + [3000.0] * 10
    (run,) = simulate(
        [reactive(policy(), 100, 0, CONTROLLER)], past(values), AT_ONCE, START + MINUTE, START + 30 * MINUTE
    )
    assert run.cluster.paid[0][1] == 10
    assert all(time >= START + 20 * MINUTE for time, _ in run.cluster.paid[1:])
    assert run.cluster.pods == 30


def backlog_past(arrivals: list[float], carries: float) -> Past:
    load = Load(START, MINUTE, np.array([arrivals]))
    return Past(load, {"arrivals": 0}, {"arrivals": carries}, {"arrivals": forecasts(load, 0)})


def test_a_backlog_grows_by_what_arrives_and_is_emptied_in_time() -> None:
    arrivals = [4.0] * 30 + [40.0] * 10 + [4.0] * 60
    made = policy([ARRIVALS, BACKLOG])
    known = backlog_past(arrivals, carries=1.0)  # half of what the policy plans with
    (run,) = simulate(
        [following_at_once(made)], known, Site(Startup(2 * MINUTE)), START + MINUTE, START + 100 * MINUTE
    )
    assert run.backlog["jobs"] < 1
    found = outcome(
        known.demand.within(START + MINUTE, START + 100 * MINUTE), run.cluster.ready, run.cluster.paid
    )
    assert 60 < found.longest_delay_s < 1200
    assert (
        max(size for _, size in run.cluster.paid) > 40
    )  # the arrivals alone, at what a replica truly gets through


def test_an_hpa_on_a_backlog_reads_what_waits() -> None:
    made = policy([ARRIVALS, BACKLOG])
    contender = reactive(made, 100, 0, CONTROLLER)
    (run,) = simulate(
        [contender], backlog_past([4.0] * 60, 1.0), AT_ONCE, START + MINUTE, START + 60 * MINUTE
    )
    # Two replicas by the arrivals, at half of what they should get through: the backlog calls for more at some time.
    assert max(size for _, size in run.cluster.paid) > 3
