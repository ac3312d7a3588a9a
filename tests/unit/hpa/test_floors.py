"""A schedule's floor is reached by the HPA that is served it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.hpa.controller import Controller
from adapter.hpa.reconcile import reconcile
from adapter.hpa.spec import Behavior, ScaleDown, ScaleUp, Spec
from adapter.hpa.state import State
from cme.core import policy
from cme.core.schedules import Told, replica_bounds
from tests.unit.hpa.given import EXTERNAL, NOW_MS, wants

SYNC_MS = 15_000
EXACT = Behavior(ScaleUp(tolerance=0.0), ScaleDown(tolerance=0.0, stabilization_s=0))


def scheduled(floor: int, tolerance: float) -> policy.Spec:
    """A floor that never ends, for an HPA of so much tolerance upwards."""
    return policy.Spec.model_validate(
        {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "signals": [{"name": "qps", "source": {"x": {}}, "perReplica": 1}],
            "scaleUp": {"tolerance": tolerance},
            "schedules": [{"name": "x", "start": "0 0 * * *", "duration": "24h", "minReplicas": floor}],
        }
    )


def sizes(version: str, behavior: Behavior | None, floor: int, tolerance: float, current: int) -> list[int]:
    """Replicas after each sync of an HPA that is served the floor alone."""
    hpa = Spec(max_replicas=1000, min_replicas=1, metrics=(EXTERNAL,), behavior=behavior)
    state, found = State(recommendations=()), [current]
    for tick in range(12):
        now = NOW_MS + tick * SYNC_MS
        served = int(replica_bounds(scheduled(floor, tolerance), now, Told(found[-1])).floor)
        step = reconcile(Controller(version), hpa, state, wants(served, found[-1]), now)
        assert step.desired is not None
        state, found = step.state, [*found, step.desired]
    return found


@pytest.mark.parametrize("version", ["1.30", "1.33", "1.36", "1.37"])
@given(floor=st.integers(2, 900), share=st.floats(0.01, 1))
def test_a_floor_is_reached_and_exceeded_by_a_tenth_at_most(version: str, floor: int, share: float) -> None:
    found = sizes(version, None, floor, 0.1, max(1, int(floor * share)))
    assert floor <= found[-1] <= 1.1 * floor + 1
    assert found == sorted(found)


@given(floor=st.integers(2, 900), share=st.floats(0.01, 1))
def test_without_tolerance_it_is_reached_exactly(floor: int, share: float) -> None:
    assert sizes("1.36", EXACT, floor, 0, max(1, int(floor * share)))[-1] == floor


def test_a_floor_of_40_at_37_replicas() -> None:
    assert sizes("1.33", None, 40, 0.1, 37)[1:3] == [41, 41]
    assert sizes("1.33", None, 40, 0, 37)[-1] == 37, "served as it is, it would be ignored"
    assert sizes("1.36", EXACT, 40, 0, 37)[1:3] == [40, 40]
