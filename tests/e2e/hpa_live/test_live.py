"""adapter.hpa reproduces every decision of the real kube-controller-manager."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from adapter.hpa.controller import Controller
from cme.core.durations import SECOND_MS
from tests.e2e.components.report import note
from tests.e2e.hpa_live.replay import Replayed, replay
from tests.e2e.hpa_live.stage import CONTROLLER, Played, Stage, play, stage

pytestmark = pytest.mark.e2e

WRONG = {
    "tolerance": replace(CONTROLLER, tolerance=0.2),
    "scale-up limit": replace(CONTROLLER, scale_up_limit_factor=3.0),
    "window": replace(
        CONTROLLER, downscale_stabilization_ms=CONTROLLER.downscale_stabilization_ms - SECOND_MS
    ),
}


@pytest.fixture(scope="module")
def on(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("hpa-live"), seed=0) as made:
        yield made


@pytest.fixture(scope="module")
def played(on: Stage) -> Played:
    return play(on, seed=0, hpas=50, decisions=300)


def agreed(done: Replayed, count: int) -> None:
    note(
        f"HPA decisions: {done.compared} compared, {done.rescaled} of them changed the size, "
        f"{done.on_edge} on the edge of a window"
    )
    assert not done.differing, f"{len(done.differing)} HPAs differ:\n" + "\n".join(done.differing[:3])
    assert done.compared >= count
    assert done.rescaled > done.compared / 20, "the workloads must move"


def test_decisions(played: Played) -> None:
    agreed(replay(CONTROLLER, played), 300)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_model_is_found(played: Played, wrong: Controller) -> None:
    """The comparison itself."""
    assert replay(wrong, played).differing


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_thousands_of_decisions(on: Stage, seed: int) -> None:
    agreed(replay(CONTROLLER, play(on, seed, hpas=100, decisions=1000)), 1000)
