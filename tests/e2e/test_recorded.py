"""Live and replay agree: a run against the real control plane, told anew from its log, gives the same decisions, and the HPA's
model the same replicas. An hour of it: `python -m tests.bench.recorded_hour`."""

from functools import partial

import pytest

from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.report import note
from tests.e2e.components.waiting import until
from tests.e2e.followed import Followed
from tests.e2e.recording import PER_REPLICA, compared, recorded

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LOADS = (900.0, 450.0, 1_310.0, 200.0)


def test_a_log_told_anew_gives_the_same_decisions_and_replicas(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("recorded")
    with recorded(control_plane, folder) as (source, followed):
        until("the HPA follows", followed.active, 60)
        for load in LOADS:
            source.tell(load)
            until(f"the HPA has followed {load:g}", partial(_follows, followed, load), 90)
    found = compared(folder)
    note(f"told anew: {found.decisions} decisions, {found.changes} changes of size")
    assert found.differing == []
    assert found.unexplained == []
    assert found.decisions > 30
    assert found.changes >= len(LOADS)


def _follows(followed: Followed, load: float) -> bool:
    return followed.settled() == -(-load // PER_REPLICA)
