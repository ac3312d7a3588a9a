"""A workload with two signals through time, as the chain sees it."""

from typing import Any

import numpy as np

from cme.core.annotations import Annotations
from cme.core.policy import ScalingPolicy
from predictor.decide.chain import Decisions, decide
from predictor.decide.measured import Limits, Measured
from predictor.decide.rules import Rules, Running, compile_rules
from predictor.decide.slow import SlowScaleDown

MINUTE = 60_000
NOW = 1_800_000_000_000
LIMITS = Limits(signal_stale_ms=60_000, forecast_stale_ms=180_000)
NAN = float("nan")


def policy(**spec: Any) -> ScalingPolicy:
    signals = [
        {"name": "queue_backlog", "source": {"x": {}}, "perReplica": 40},
        {"name": "qps", "source": {"x": {}}, "perReplica": 100},
    ]
    whole = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "signals": signals,
        "scaleDown": {"window": "10m", "maxDecrease": "10%/1m"},
    } | spec
    document = {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": whole,
    }
    return ScalingPolicy.model_validate(document)


class Story:
    """One workload with two signals through time."""

    def __init__(self, asked: Annotations | None = None, **spec: Any) -> None:
        """`asked` for a time, of a policy with this spec."""
        made = policy(**spec)
        metadata = made.metadata.model_copy(update={"annotations": asked or Annotations()})
        self.rules: Rules = compile_rules([made.model_copy(update={"metadata": metadata})])
        self.slow = SlowScaleDown(self.rules)
        self.running = NAN

    def tick(
        self, now: int, raw: list[float], predicted: list[float] | None = None, **more: Any
    ) -> Decisions:
        measured = Measured(
            raw=np.array(raw),
            raw_ms=np.array([more.get("raw_ms", now)] * 2, dtype=np.int64),
            flags=np.array([more.get("flags", 0)] * 2, dtype=np.uint8),
            lead_ms=np.full(2, 300_000.0),
            lead_unlearnt=np.array([more.get("lead_unlearnt", False)] * 2),
            predicted=np.array(predicted or [NAN, NAN]),
            soon=np.array(more.get("soon", [NAN, NAN])),
            predicted_ms=np.array([more.get("predicted_ms", now)] * 2, dtype=np.int64),
            uncalibrated=np.array([more.get("uncalibrated", False)] * 2),
            capped=np.array([more.get("capped", False)] * 2),
            causes=np.array([more.get("causes", 0)] * 2, dtype=np.uint8),
            again=np.array(more.get("again", [NAN, NAN])),
            drain=np.array(more.get("drain", [NAN, NAN])),
        )
        running = Running(np.array([self.running]), np.array([NAN]), np.array([NAN]))
        return decide(self.rules, self.slow, measured, running, LIMITS, now)
