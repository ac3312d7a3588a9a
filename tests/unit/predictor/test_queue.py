"""Learning and deciding in a loop: a queue whose replicas get through less than was planned."""

import numpy as np
import pytest

from cme.collector.rollup import Bucket, rollup_batch
from cme.core.durations import MINUTE_MS
from cme.core.reasons import Reason
from predictor.decide.chain import Decisions
from predictor.drain import Drains
from tests.unit.predictor.decide.story import NOW, Story, policy
from tests.unit.predictor.decide.test_backlog import SIGNALS, WITHIN_S
from tests.unit.predictor.test_drain import replicas

DRAIN, ARRIVALS = 2.0, 20.0  # planned are 5 items/s a replica
HOUR = 60


class Loop:
    """Minute by minute: decided replicas are there at once, and the queue is what they leave."""

    def __init__(self) -> None:
        self.story = Story(signals=SIGNALS, scaleDown={"window": "0s"})
        self.drains, self.backlog, self.minute = Drains(self.story.rules), 0.0, NOW // MINUTE_MS

    def run(self, minutes: int) -> Decisions:
        for _ in range(minutes):
            now = self.minute * MINUTE_MS
            learnt = self.drains.learnt(self.story.rules)
            decided = self.story.tick(now, [self.backlog, ARRIVALS], drain=learnt)
            ready = int(decided.replicas[0])
            self.drains.take_replicas(replicas(now, ready, policy()))
            self.minute += 1
            self.backlog = max(0.0, self.backlog + 60 * (ARRIVALS - DRAIN * ready))
            self.drains.take_replicas(replicas(now + MINUTE_MS, ready, policy()))
            told = (self.backlog, ARRIVALS)
            buckets = [Bucket(value, value, value, now + MINUTE_MS, 1) for value in told]
            series = self.story.rules.signal_ids.tolist()
            self.drains.take_minute(rollup_batch("minutes", now + MINUTE_MS, series, buckets))
        return decided


def test_what_was_planned_leaves_a_backlog_until_the_true_drain_is_learnt() -> None:
    loop = Loop()
    first = loop.run(HOUR // 2)
    assert first.reasons[0] & Reason.DRAIN_UNLEARNT
    assert loop.backlog > WITHIN_S * ARRIVALS / 2
    settled = loop.run(4 * HOUR)
    assert not settled.reasons[0] & Reason.DRAIN_UNLEARNT
    assert loop.drains.learnt(loop.story.rules)[0] == pytest.approx(DRAIN, rel=0.1)
    assert loop.backlog == 0.0
    assert settled.replicas[0] == np.ceil(ARRIVALS / DRAIN)


@pytest.mark.parametrize("burst", [1_000.0, 12_000.0, 90_000.0])
def test_then_the_next_burst_is_emptied_in_time(burst: float) -> None:
    loop = Loop()
    loop.run(5 * HOUR)
    loop.backlog = burst
    loop.run(WITHIN_S // 60)
    assert loop.backlog == 0.0
