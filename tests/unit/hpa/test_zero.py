"""A queue's workload goes to 0 replicas and comes back, decided by us and scaled by the HPA that `tidecast hpa` prints."""

import pytest

from adapter.autoscaler.manifest import at_once, least_of, most_of
from adapter.hpa.controller import SCALE_TO_ZERO, Controller
from adapter.hpa.reconcile import reconcile
from adapter.hpa.spec import Spec
from adapter.hpa.state import State
from tests.unit.hpa.given import EXTERNAL, wants
from tests.unit.predictor.decide.story import NAN, NOW, Story, policy
from tests.unit.predictor.decide.test_backlog import SIGNALS

SYNC_S, WITHIN_S = 15, 600
LIMITS = {"minReplicas": 0, "maxReplicas": 50}
QUEUE = policy(signals=SIGNALS, limits=LIMITS)
ZERO = Spec(most_of(QUEUE), least_of(QUEUE), (EXTERNAL,), at_once(most_of(QUEUE)))


class Scaled:
    """A workload that the HPA sizes every 15 s by what is decided for it."""

    def __init__(self, controller: Controller) -> None:
        self.story = Story(signals=SIGNALS, limits=LIMITS, scaleDown={"window": "0s"})
        self.controller, self.state, self.size, self.now = controller, State(), 3, NOW

    def sync(self, backlog: float, arrivals: float, times: int = 1) -> int:
        """The size after so many decisions; one that is an error leaves it as it is."""
        for _ in range(times):
            self.now += SYNC_S * 1000
            self.story.running = self.size
            (decided,) = self.story.tick(self.now, [backlog, arrivals], drain=[2.0, NAN]).replicas.tolist()
            if decided == decided:
                seen = wants(int(decided), self.size)
                step = reconcile(self.controller, ZERO, self.state, seen, self.now)
                self.state = step.state
                self.size = self.size if step.desired is None else step.desired
        return self.size


@pytest.mark.parametrize("arrivals", [0.0, NAN])
@pytest.mark.parametrize(
    "controller",
    [Controller("1.37"), Controller("1.36", {SCALE_TO_ZERO: True})],
    ids=["1.37", "1.36 and gate"],
)
def test_it_sleeps_without_a_backlog_and_one_item_wakes_it(controller: Controller, arrivals: float) -> None:
    one = Scaled(controller)
    assert one.sync(1.0, 0.0) == 1
    assert one.sync(0.0, 0.0, WITHIN_S // SYNC_S) == 1
    assert one.sync(0.0, 0.0, 2) == 0
    assert one.sync(0.0, NAN) == 0
    assert one.sync(1.0, arrivals) == 1


def test_a_cluster_without_the_gate_never_wakes_it() -> None:
    one = Scaled(Controller("1.36"))
    one.sync(0.0, 0.0, 2)
    assert (one.sync(0.0, 0.0), one.sync(1e6, 5.0)) == (0, 0)
