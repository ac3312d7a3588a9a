"""adapter.hpa reproduces every decision of the real kube-controller-manager."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from adapter.hpa.controller import Controller
from adapter.hpa.spec import Behavior, Rules, Spec
from cme.core.durations import SECOND_MS
from tests.e2e.components.report import note
from tests.e2e.hpa_live.decisions import Decision
from tests.e2e.hpa_live.play import Played, play
from tests.e2e.hpa_live.replay import Replayed, replay
from tests.e2e.hpa_live.stage import CONTROLLER, Stage, stage

pytestmark = pytest.mark.e2e

WRONG = {
    "tolerance": replace(CONTROLLER, tolerance=0.5),
    "window": replace(CONTROLLER, downscale_stabilization_ms=SECOND_MS),
}


@pytest.fixture(scope="module")
def on(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("hpa-live"), seed=0) as made:
        yield made


@pytest.fixture(scope="module")
def played(on: Stage) -> Played:
    return play(on, seed=0, hpas=40, decisions=800)


def agreed(done: Replayed, count: int) -> None:
    note(
        f"HPA decisions: {done.compared} compared, {done.rescaled} of them changed the size, "
        f"{done.on_edge} on the edge of a window"
    )
    assert not done.differing, f"{len(done.differing)} HPAs differ:\n" + "\n".join(done.differing[:3])
    assert done.compared >= count
    assert done.rescaled > done.compared / 20, "the workloads must move"


def test_decisions(played: Played) -> None:
    agreed(replay(CONTROLLER, played), 800)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_model_is_found(played: Played, wrong: Controller) -> None:
    """The comparison itself."""
    assert replay(wrong, played).differing


def test_wrong_periods_are_found(played: Played) -> None:
    """What the model remembers of changes of the size."""
    wrong = [(workload, [_forgetful(one) for one in decisions]) for workload, decisions in played]
    assert replay(CONTROLLER, wrong).differing


def _forgetful(decision: Decision) -> Decision:
    """As if every period were the shortest."""
    return replace(decision, specs=tuple(map(_with_short_periods, decision.specs)))


def _with_short_periods(spec: Spec) -> Spec:
    behavior = spec.behavior
    return replace(spec, behavior=behavior and Behavior(_short(behavior.up), _short(behavior.down)))


def _short(rules: Rules) -> Rules:
    return replace(rules, policies=tuple(replace(one, period_s=1) for one in rules.policies))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_thousands_of_decisions(on: Stage, seed: int) -> None:
    agreed(replay(CONTROLLER, play(on, seed, hpas=100, decisions=1000)), 1000)
