"""Many workloads: learnt together, gone through apart, the same for any number of processes."""

import math

import numpy as np
import pytest

from adapter.hpa.controller import Controller
from adapter.replay.inputs import Given
from adapter.replay.load import Load
from adapter.replay.workloads import Asked, learnt, scene_of, studied, workload
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.progress import silent
from cme.core.settings import Settings
from tests.unit.adapter.replay.past import ARRIVALS, BACKLOG, MINUTE, START, policy

DAY = 1440
ASKED = Asked(Settings(), Controller("1.36"))


def given(minutes: int, level: float, lead_ms: float = math.nan, startup_p90_ms: float = math.nan) -> Given:
    values = level * (1.5 + np.sin(np.arange(minutes) / 60))
    return Given(Load(START, MINUTE, values[None]), {"qps": 0}, lead_ms, startup_p90_ms)


def named(name: str) -> ScalingPolicy:
    made = policy()
    ref = made.spec.target_ref.model_copy(update={"name": name})
    return made.model_copy(update={"spec": made.spec.model_copy(update={"target_ref": ref})})


def test_processes_change_nothing() -> None:
    pasts = [workload(named(name), given(600, level), 28) for name, level in (("a", 500.0), ("b", 900.0))]
    told: list[tuple[int, int]] = []
    forecasts = learnt(pasts, ASKED, lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    alone = studied(pasts, forecasts, ASKED, 1, silent)
    apart = studied(pasts, forecasts, ASKED, 2, silent)
    assert [one.workload for one in alone] == ["shop/Deployment.apps/a", "shop/Deployment.apps/b"]
    for one, other in zip(alone, apart, strict=True):
        assert [result.outcome for result in one.results] == [result.outcome for result in other.results]
        assert [result.name for result in one.results] == [
            "tidecast",
            "HPA 300 s 70 %",
            one.results[2].name,
            "hindsight",
        ]


def test_the_first_half_is_learnt_from_only_and_the_newest_days_are_replayed() -> None:
    past = workload(policy(), given(8 * DAY, 100.0), 28)
    assert past.since_ms == START + 4 * DAY * MINUTE
    assert past.until_ms == START + 8 * DAY * MINUTE
    assert workload(policy(), given(8 * DAY, 100.0), 1).since_ms == START + 7 * DAY * MINUTE
    with pytest.raises(InvalidInput, match="has 90 minutes"):
        workload(policy(), given(90, 100.0), 28)


def test_what_a_cluster_has_taught_is_taken_unless_it_is_given() -> None:
    past = workload(policy(), given(600, 100.0, lead_ms=200_000.0, startup_p90_ms=45_000.0), 28)
    forecasts = {"qps": learnt([past], ASKED, silent)[0]["qps"]}
    scene = scene_of(past, forecasts, ASKED)
    assert scene.site.startup.p90_ms == 45_000
    assert scene.past.learnt_lead_ms == 200_000
    given_one = Asked(Settings(), Controller("1.36"), startup_ms=7_000)
    assert scene_of(past, forecasts, given_one).site.startup.p90_ms == 7_000
    unknown = workload(policy(), given(600, 100.0), 28)
    assert scene_of(unknown, forecasts, ASKED).site.startup.p90_ms == 60_000
    assert math.isnan(scene_of(unknown, forecasts, ASKED).past.learnt_lead_ms)


def test_a_replica_gets_through_what_was_learnt_of_its_backlog() -> None:
    made = policy([ARRIVALS, BACKLOG])
    load = Load(START, MINUTE, np.full((1, 600), 4.0))
    taught = workload(made, Given(load, {"arrivals": 0}, drains={"jobs": 0.5}), 28)
    forecasts = learnt([taught], ASKED, silent)[0]
    assert scene_of(taught, forecasts, ASKED).past.carries == {"arrivals": 0.5}
    untaught = workload(made, Given(load, {"arrivals": 0}), 28)
    assert scene_of(untaught, forecasts, ASKED).past.carries == {"arrivals": 2.0}


def test_a_policy_without_a_maximum_is_not_held_to_one() -> None:
    """The printed HPA's 100 is for the user to choose."""
    past = workload(policy(limits={}), given(600, 9_000.0), 28)
    assert past.policy.spec.limits.max_replicas is None
    (found,) = studied([past], learnt([past], ASKED, silent), ASKED, 1, silent)
    needed = math.ceil(found.demand.needed.max())
    assert needed > 150
    for one in found.results:
        assert max(number for _, number in one.paid) >= needed
