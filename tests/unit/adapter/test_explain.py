"""What was decided at a moment, read back from a real log."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from adapter.cli.explain import told
from adapter.explain import Explainer, Explanation, parse_time
from adapter.past import Names
from adapter.web.app import Page
from cme.collector.records import describe
from cme.core.batch import Batch, series_ids
from cme.core.documents import parse_document
from cme.core.durations import DAY_MS, HOUR_MS
from cme.core.errors import InvalidInput
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.log.embedded import EmbeddedLog
from cme.policies.standing import Standing
from cme.runtime.telemetry import AdapterTelemetry
from tests.unit.adapter.stage import NOW, Stage, as_text, policy

FLOOR = {"name": "always", "start": "0 0 * * *", "duration": "24h", "minReplicas": 4}
WEB = policy("web", scaleDown={"window": "10m"}, schedules=[FLOOR])
LIMIT_MS = 60_000


class Written:
    """A stage whose decisions, and what ran, go to a log."""

    def __init__(self, folder: Path, *policies: ScalingPolicy) -> None:
        self.log = EmbeddedLog.open(folder, writable=True)
        self.stage = Stage(*policies)
        self.log.append(describe(map(Standing.valid, policies), NOW))

    def decide(self, seconds: int = 0, **values: float | str) -> None:
        """Some seconds later a tick of everything, WEB being measured a second before."""
        self.stage.clock.advance(seconds * 1000)
        self.stage.measure(WEB, 1, 1_000, **values)
        self.log.append([self.stage.decide()])

    def run(self, *pods: str) -> None:
        self.log.append([self.stage.run(WEB, *pods)])

    def explain(self, seconds: float, name: str = "shop/web") -> Explanation:
        """As seen so long after the beginning."""
        return Explainer(self.log, LIMIT_MS).explain(name, NOW + round(seconds * 1000), NOW + HOUR_MS)


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    made = Written(tmp_path, WEB)
    yield made
    made.log.close()


def test_every_number_of_a_decision_is_told(written: Written) -> None:
    written.run("web-1", "web-2")
    written.stage.forecast(qps=450.0)
    written.decide(qps=400.0, queue_backlog=40.0)
    assert list(told(written.explain(2.5))) == [
        "shop/Deployment.apps/web at 2027-01-15T08:00:03Z",
        "replicas: 5 was served, decided 2.5 s before; the floor 4",
        "2 replicas were wanted, 2 pods took load 2.5 s before",
        "a replica starts within 45s (.9 of 12 starts, 2 one after the other)",
        "qps: 450 1/s was served, decided 2.5 s before",
        "  measured: 400 1/s, 3.5 s before",
        "  predicted for 5m: 450 1/s, 2.5 s before",
        "  needed: 450 1/s",
        "  after the slow scale-down: 450 1/s",
        "  - the forecast exceeds the measured value",
        "queue_backlog: 160 items was served, decided 2.5 s before",
        "  measured: 40 items, 3.5 s before",
        "  needed: 40 items",
        "  after the slow scale-down: 40 items",
        "  - the measured value is the largest need",
        "  - there is no forecast yet; the measured value stands alone",
        "  - raised to the minReplicas of an active schedule",
    ]


def test_of_several_decisions_the_last_before_the_moment_counts(written: Written) -> None:
    written.decide(qps=800.0, queue_backlog=40.0)
    written.decide(30, qps=100.0, queue_backlog=40.0)
    before, after = written.explain(29.9).signals["qps"], written.explain(30).signals["qps"]
    assert (before.raw, before.value, before.age_ms) == (800, 800, 29_900)
    assert (after.raw, after.value, after.age_ms, after.measured_age_ms) == (100, 800, 0, 1_000)


def test_nothing_is_told_where_nothing_was_served(written: Written) -> None:
    written.decide(qps="no answer", queue_backlog=40.0)
    lines = list(told(written.explain(1)))
    assert "replicas: nothing was served, decided 1.0 s before; the floor 4" in lines
    assert "qps: nothing was served, decided 1.0 s before" in lines
    assert "  - the signal has no value" in lines
    assert "what ran is not known" in lines


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (59, "replicas: 5 was served, decided 59.0 s before; the floor 4"),
        (
            59.5,
            "replicas: nothing was served: what 5 rests on was older than 1m, decided 59.5 s before; "
            "the floor 4",
        ),
        (
            60.5,
            "no decision was served: the log has none of the 1m before; was the predictor running?",
        ),
        (-1, "no decision is known: the log's first is of 2027-01-15T08:00:01Z"),
    ],
)
def test_an_old_number_is_told_as_not_served(written: Written, seconds: float, line: str) -> None:
    written.decide(qps=500.0, queue_backlog=40.0)
    assert list(told(written.explain(seconds)))[1] == line


def test_a_clock_that_was_set_back_leaves_nothing_old(written: Written) -> None:
    written.decide(qps=500.0, queue_backlog=40.0)
    written.stage.clock.step_wall(-120_000)
    written.decide(qps=900.0, queue_backlog=40.0)
    assert written.explain(1).signals["qps"].age_ms == 1_000


def test_what_ran_is_forgotten_after_three_minutes(written: Written) -> None:
    written.run("web-1")
    running = written.explain(180).running
    assert running is not None
    assert (running.wanted, running.ready, running.age_ms) == (1, 1, 180_000)
    assert written.explain(181).running is None


@pytest.mark.parametrize(
    ("name", "at_ms", "told"),
    [
        ("shop/jobs", NOW, "shop/jobs: it is not in the log; the log has: shop/web"),
        ("shop/web", NOW + 1, "time: it is still to come"),
        ("shop/web", NOW - 36 * DAY_MS, "time: the log keeps decisions for 35 days; ask for a later one"),
    ],
)
def test_what_the_log_can_t_know_is_refused(written: Written, name: str, at_ms: int, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Explainer(written.log, LIMIT_MS).explain(name, at_ms, NOW)


@pytest.fixture
def two_kinds(tmp_path: Path) -> Iterator[Written]:
    target = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web"}
    made = Written(tmp_path, WEB, policy("web", targetRef=target))
    yield made
    made.log.close()


def test_a_workload_that_comes_later_is_known_then(written: Written) -> None:
    names, jobs = Names(written.log), policy("jobs")
    with pytest.raises(InvalidInput, match="shop/jobs: it is not in the log"):
        names.workload("shop/jobs")
    written.log.append(describe([Standing.valid(jobs)], NOW))
    assert names.workload("shop/jobs")[0] == jobs.workload
    assert names.workload("shop/web")[0] == WEB.workload


def test_a_name_of_two_kinds_is_refused_with_their_names(two_kinds: Written) -> None:
    told = "several of different kinds; name one of shop/Deployment.apps/web, shop/StatefulSet.apps/web"
    with pytest.raises(InvalidInput, match=told):
        two_kinds.explain(0)


@pytest.mark.parametrize("name", ["shop/StatefulSet/web", "shop/StatefulSet.apps/web"])
def test_the_kind_may_be_named(two_kinds: Written, name: str) -> None:
    two_kinds.decide(qps=100.0, queue_backlog=40.0)
    assert two_kinds.explain(0, name).workload.kind == "StatefulSet"
    with pytest.raises(InvalidInput, match="shop/Job/web: it is not in the log; the log has: shop/web"):
        two_kinds.explain(0, "shop/Job/web")
    series = Names(two_kinds.log).series(name, "qps")
    assert series == SeriesKey(two_kinds.explain(0, name).workload, "qps").id


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T01:00:00Z", HOUR_MS),
        ("1970-01-01T01:00:00", HOUR_MS),
        ("1970-01-01T01:00:00.5+01:00", 500),
        ("1970-01-02", DAY_MS),
    ],
)
def test_a_time_is_utc_unless_it_says_otherwise(text: str, ms: int) -> None:
    assert parse_time(text, "--at") == ms


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--at: 'noon' is not a time; write it like"):
        parse_time("noon", "--at")


@pytest.mark.parametrize(("later_ms", "came"), [(359_999, None), (360_000, 430)])
def test_what_came_of_a_forecast_is_told_once_its_lead_is_over(
    written: Written, later_ms: int, came: float | None
) -> None:
    written.stage.forecast(qps=450.0)
    written.stage.clock.advance(1_000)
    written.decide(qps=400.0, queue_backlog=40.0)
    start, series = NOW - 1_000, written.stage.entry(WEB).signals["qps"]
    for minute, largest in ((0, 700.0), (1, 410.0), (3, 430.0), (4, float("nan")), (6, 800.0)):
        ends, columns = start + minute * 60_000, {"max": np.array([largest], dtype=np.float32)}
        written.log.append([Batch("minutes", ends, series_ids([series]), columns)])
    asked = NOW + 2_000
    found = Explainer(written.log, LIMIT_MS).explain("shop/web", asked, NOW + later_ms)
    lines = [line for line in told(found) if "came within it" in line]
    assert lines == ([] if came is None else [f"  the largest that came within it: {came:g} 1/s"])


def test_a_ceiling_is_told_beside_the_floor(tmp_path: Path) -> None:
    written = Written(tmp_path, policy("web", limits={"maxReplicas": 3}))
    written.decide(qps=500.0, queue_backlog=40.0)
    lines = list(told(written.explain(1)))
    assert lines[1] == "replicas: 3 was served, decided 1.0 s before; the floor 0, the ceiling 3"
    written.log.close()


def test_a_log_without_a_decision_says_so(written: Written) -> None:
    found = written.explain(1)
    assert (found.replicas, dict(found.signals)) == (None, {})
    assert (
        found.problem
        == "no decision was served: the log has none of the 1m before; was the predictor running?"
    )


async def test_programs_get_the_same_as_json(written: Written) -> None:
    written.run("web-1")
    written.decide(qps=100.0, queue_backlog="no answer")
    stage, registry = written.stage, CollectorRegistry()
    explainer = Explainer(written.log, LIMIT_MS)
    page = Page(stage.view, stage.answers, registry, AdapterTelemetry(registry), "", explainer)
    stage.clock.advance(HOUR_MS)
    async with TestClient(TestServer(page.app)) as client:
        answer = await client.get("/api/v1/explain/shop/web?at=2027-01-15T08:00:03Z")
        assert answer.status == 200
        told = json.loads(await answer.text(), parse_constant=pytest.fail)
        by_kind = await client.get("/api/v1/explain/shop/Deployment.apps/web?at=2027-01-15T08:00:03Z")
        assert await by_kind.json() == told
        for query, status, error in (
            ("web?at=noon", 400, "at: 'noon' is not a time"),
            ("jobs", 404, "shop/jobs: it is not in the log; the log has: shop/web"),
        ):
            refused = await client.get(f"/api/v1/explain/shop/{query}")
            assert refused.status == status
            assert (await refused.json())["error"].startswith(error)
    assert told["id"] == "shop/Deployment.apps/web"
    assert told["at_ms"] == NOW + 2_000
    assert told["running"] == {
        "wanted": 1,
        "ready": 1,
        "age_ms": 2_000,
        "startup": {"duration_ms": 45_000, "count": 12, "steps": 2},
    }
    assert told["problem"] is None
    assert told["replicas"]["problem"] == "nothing was served"
    assert told["replicas"]["value"] is None
    assert (told["replicas"]["floor"], told["replicas"]["ceiling"]) == (4, None)
    qps, backlog = told["signals"]
    assert qps.pop("reasons")[0] == {"code": "raw", "text": "the measured value is the largest need"}
    assert qps == {
        "name": "qps",
        "unit": "1/s",
        "problem": None,
        "value": 400,
        "age_ms": 2_000,
        "raw": 100,
        "measured_age_ms": 3_000,
        "predicted": None,
        "predicted_age_ms": None,
        "need": 100,
        "slowed": 100,
        "lead_ms": 300_000,
        "drain": None,
        "came": None,
    }
    assert [reason["code"] for reason in backlog["reasons"]] == ["missing"]


def test_a_paused_workload_is_told_as_served_without_a_measurement(tmp_path: Path) -> None:
    whole = as_text(WEB)
    whole["metadata"]["annotations"] = {"tidecast.dev/pause": "true"}
    written = Written(tmp_path, parse_document(ScalingPolicy, whole, "web"))
    written.decide()
    unknown = list(told(written.explain(1)))
    assert unknown[1:3] == [
        "replicas: nothing was served, decided 1.0 s before; the floor is not known",
        "  - the policy is paused: what runs is served, and nothing changes",
    ]
    written.run("web-1", "web-2")
    written.decide()
    assert (
        list(told(written.explain(1)))[1]
        == "replicas: 2 was served, decided 1.0 s before; the floor 2, the ceiling 2"
    )
    written.log.close()


def test_of_a_backlog_it_is_told_what_one_replica_gets_through(tmp_path: Path) -> None:
    qps, backlog = (signal.model_dump(mode="json", by_alias=True) for signal in WEB.spec.signals)
    queue = policy("web", signals=[qps, backlog | {"drain": {"within": "10m", "arrivals": "qps"}}])
    written = Written(tmp_path, queue)
    written.stage.drain[1] = 150.0
    written.decide(qps=300.0, queue_backlog=6_000.0)
    lines = list(told(written.explain(1)))
    assert lines[lines.index("queue_backlog: 82.6667 items was served, decided 1.0 s before") :] == [
        "queue_backlog: 82.6667 items was served, decided 1.0 s before",
        "  measured: 6000 items, 2.0 s before",
        "  one replica gets through, per second: 150 items",
        "  needed: 82.6667 items",
        "  after the slow scale-down: 82.6667 items",
        "  - what empties the backlog within drain.within while what is forecast arrives",
    ]
    written.log.close()
