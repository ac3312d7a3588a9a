"""The page's JSON about trust."""

import json
from typing import Any

import numpy as np

from adapter.web import payloads
from cme.collector.records import standing_batch
from cme.core.batch import series_ids
from cme.core.distrust import Cause
from cme.policies.standing import Fate, Origin, Standing
from predictor.grid import L, T
from predictor.records import trust_batches
from predictor.trust.record import FIGURES, Day
from tests.unit.adapter.stage import NOW, Stage, policy

WEB = policy("web")
QPS = WEB.series(WEB.spec.signals[0]).id


def told(stage: Stage) -> Any:
    """What the page gets of the signal qps; as the browser reads it, so without NaN."""
    (workload,) = json.loads(json.dumps(payloads.workloads(stage.view, stage.answers), allow_nan=False))[
        "workloads"
    ]
    return workload["signals"][0]["trust"]


def stage(distrust: int = 0, **figures: float) -> Stage:
    made = Stage(WEB)
    whole = dict.fromkeys(FIGURES, 0.0) | figures
    day = Day(**{name: np.full((L * T, 1), value, dtype=np.float32) for name, value in whole.items()})
    made.view.take(trust_batches(NOW, series_ids([QPS]), day, np.array([distrust], dtype=np.uint32)))
    return made


def test_every_target_and_lead_is_beside_the_opponent() -> None:
    trust = told(stage(count=100, covered=95, baseline_covered=90, loss=1, baseline_loss=2, load=1))
    assert trust["told_ms"] == NOW
    assert [(c["target"], c["lead_ms"] // 60_000) for c in trust["cells"]] == [
        (target, lead) for target in ("at", "max") for lead in (5, 15, 30, 60, 360)
    ]
    (cell, *_) = trust["cells"]
    assert cell["trusted"]
    assert cell["reasons"] == []
    figures = [cell[name] for name in ("coverage", "baseline_coverage", "loss_ratio", "compared")]
    np.testing.assert_allclose(figures, [0.95, 0.9, 0.5, 100], rtol=1e-6)
    assert cell["over_ratio"] is None  # nothing was provided in vain by either


def test_a_cell_that_is_not_trusted_says_why() -> None:
    cell = T * 1 + 1
    trust = told(stage(distrust=int(Cause.OVER | Cause.COVERAGE) << 3 * cell))
    doubted = [c for c in trust["cells"] if not c["trusted"]]
    assert [(c["target"], c["lead_ms"]) for c in doubted] == [("max", 15 * 60_000)]
    assert [r["code"] for r in doubted[0]["reasons"]] == ["untrusted_over", "untrusted_coverage"]


def test_before_anything_was_compared_nothing_is_told() -> None:
    assert told(Stage(WEB)) is None


def test_a_policy_that_is_refused_is_shown_with_its_problem() -> None:
    made = Stage(WEB)
    kept = Standing(WEB.key, Origin.CLUSTER, WEB, Fate.INVALID, "spec.signals: too short")
    made.view.take([standing_batch(NOW, kept)])
    whole = payloads.workloads(made.view, made.answers)
    assert whole["refused"] == [{"policy": WEB.key, "problem": "spec.signals: too short"}]
    assert len(whole["workloads"]) == 1
    made.view.take([standing_batch(NOW, Standing.valid(WEB))])
    assert payloads.workloads(made.view, made.answers)["refused"] == []


def test_the_lead_that_is_shown_is_the_one_that_counts() -> None:
    web = policy("web", forecast={"lead": "auto"})
    made = Stage(web)

    def shown() -> Any:
        return payloads.workloads(made.view, made.answers)["workloads"][0]["lead_ms"]

    assert shown() == 300_000
    made.run(web, "web-1")
    assert shown() == 185_000
