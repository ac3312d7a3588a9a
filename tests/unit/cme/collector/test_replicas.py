import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from cme.collector.labels import LISTED_MS
from cme.collector.replicas import REPEATED_MS, Replicas, lead_ms, pods_text, takes_load
from cme.core.clock import ManualClock
from cme.core.errors import KubeFailed
from cme.core.policy import SOON_MS, ScalingPolicy
from cme.core.replica_record import (
    Startup,
    recorded_labels,
    recorded_lead_ms,
    recorded_quota,
    recorded_resource,
    recorded_startup,
)
from cme.core.settings import Settings
from cme.log import record
from cme.log.embedded import EmbeddedLog
from cme.log.record import decode, encode
from cme.runtime.telemetry import CollectorTelemetry
from tests.unit.cme.collector.golden import LABELLED, LABELS, UNLABELLED, golden_batch
from tests.unit.cme.collector.stage import policy, scripted
from tests.unit.cme.log.golden import SEQ, as_lines

SCALE = "/apis/apps/v1/namespaces/default/deployments/web/scale"
LISTED = "/apis/apps/v1/namespaces/default/deployments?limit=500"
PODS = "/api/v1/namespaces/default/pods?labelSelector=app%3Dweb"


def pod(name: str, ready: str = "True", phase: str = "Running", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"app": "web"}, **metadata},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]},
    }


def listed(kind: str, *plurals: str) -> dict[str, Any]:
    """What discovery says of resources that can be scaled."""
    found = [{"kind": kind, "name": name} for name in plurals]
    return {"resources": [*found, *({"kind": "Scale", "name": f"{name}/scale"} for name in plurals)]}


class Cluster:
    """A cluster with one Deployment."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "/apis/apps/v1": listed("Deployment", "deployments"),
            SCALE: {"spec": {"replicas": 2}, "status": {"selector": "app=web"}},
            PODS: {"items": [pod("web-1"), pod("web-0")]},
        }

    def get(self, path: str) -> Mapping[str, Any]:
        if path not in self.answers:
            raise KubeFailed(f"GET {path}: ApiException")
        answer: Mapping[str, Any] = self.answers[path]
        return answer


class Metadata:
    """The same cluster, but of each object its metadata alone."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, str] | None] | None = {"web": {"app": "web", "a": "1"}}
        """By name, the labels of each Deployment; None while it may not be listed."""
        self.asked: list[str] = []

    def get(self, path: str) -> Mapping[str, Any]:
        self.asked.append(path)
        if self.labels is None:
            raise KubeFailed(f"GET {path}: deployments.apps is forbidden")
        items = [
            {"metadata": {"name": name} | ({"labels": labels} if labels is not None else {})}
            for name, labels in self.labels.items()
        ]
        return {"metadata": {"resourceVersion": "7"}, "items": items or None}


class Stage:
    def __init__(self, folder: Path) -> None:
        self.cluster, self.metadata = Cluster(), Metadata()
        self.clock = ManualClock(1_795_000_000_000)
        self.log = EmbeddedLog.open(folder, writable=True)
        self.metrics = CollectorRegistry()
        self.telemetry = CollectorTelemetry(self.metrics)
        self.replicas = self.started(policy("web", scripted("a")))

    def started(self, *policies: ScalingPolicy) -> Replicas:
        replicas = Replicas(self.cluster, self.metadata, self.log, self.clock, Settings(), self.telemetry)
        replicas.follow(policies)
        return replicas

    def written(self) -> list[tuple[float, str]]:
        batches = self.log.read(["replicas"], {}).batches
        return [(float(b.numbers("wanted")[0]), b.texts("pods")[0]) for b in batches]

    def labels(self) -> list[str | None]:
        return [recorded_labels(b) for b in self.log.read(["replicas"], {}).batches]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.log.close()


async def test_wanted_replicas_and_ready_pods_are_written_by_name(stage: Stage) -> None:
    await stage.replicas.turn()
    assert stage.written() == [(2.0, '{"labels": [{"app": "web"}], "pods": [["web-0", 0], ["web-1", 0]]}')]


async def test_what_stays_the_same_is_written_again_after_a_minute_only(stage: Stage) -> None:
    await stage.replicas.turn()
    first = stage.log.read(["replicas"], {}).position
    stage.clock.advance(REPEATED_MS - 1)
    await stage.replicas.turn()
    assert not stage.log.read(["replicas"], first).batches
    stage.clock.advance(1)
    await stage.replicas.turn()
    (again,) = stage.log.read(["replicas"], first).batches
    assert again.time_ms == stage.clock.now_ms()


async def test_a_change_is_written_at_once(stage: Stage) -> None:
    await stage.replicas.turn()
    stage.cluster.answers[SCALE]["spec"]["replicas"] = 3
    await stage.replicas.turn()
    assert stage.written()[-1][0] == 3


async def test_a_cluster_that_does_not_answer_writes_nothing_and_says_so_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    del stage.cluster.answers[PODS]
    await stage.replicas.turn()
    await stage.replicas.turn()
    assert not stage.written()
    assert len(caplog.records) == 1
    assert "default/Deployment.apps/web" in caplog.text
    assert stage.metrics.get_sample_value("tidecast_replicas_failed_total") == 2


async def test_one_workload_that_is_not_there_hides_no_other(stage: Stage) -> None:
    both = stage.started(policy("gone", scripted("a")), policy("web", scripted("b")))
    await both.turn()
    assert len(stage.written()) == 1


async def test_an_empty_selector_would_count_the_pods_of_everybody(stage: Stage) -> None:
    stage.cluster.answers[SCALE]["status"] = {}
    await stage.replicas.turn()
    assert not stage.written()


async def test_a_workload_at_zero_has_no_pods(stage: Stage) -> None:
    stage.cluster.answers |= {SCALE: {"spec": {}, "status": {"selector": "app=web"}}, PODS: {"items": None}}
    await stage.replicas.turn()
    assert stage.written() == [(0.0, '{"labels": [], "pods": []}')]


@pytest.mark.parametrize(
    "idle",
    [
        pod("p", ready="False"),
        pod("p", phase="Pending"),
        pod("p", phase="Failed"),
        pod("p", deletionTimestamp="2026-11-25T00:00:00Z"),
        {"metadata": {"name": "p"}},
    ],
)
def test_a_pod_that_takes_no_load_is_left_out(idle: dict[str, Any]) -> None:
    assert not takes_load(idle)
    assert pods_text([idle]) == '{"labels": [], "pods": []}'


def test_different_label_sets_are_kept_apart() -> None:
    text = pods_text([pod("a"), pod("b", labels={"app": "web", "track": "canary"}), pod("c")])
    assert text.endswith('"pods": [["a", 0], ["b", 1], ["c", 0]]}')


async def test_a_kind_is_found_by_the_name_that_the_cluster_gives_it(stage: Stage) -> None:
    core = policy("web", scripted("a"))
    ref = core.spec.target_ref.model_copy(update={"api_version": "v1", "kind": "ReplicationController"})
    other = core.model_copy(update={"spec": core.spec.model_copy(update={"target_ref": ref})})
    path = "/api/v1/namespaces/default/replicationcontrollers/web/scale"
    stage.cluster.answers |= {
        path: stage.cluster.answers[SCALE],
        "/api/v1": listed("ReplicationController", "replicationcontrollers"),
    }
    await stage.started(other).turn()
    (batch,) = stage.log.read(["replicas"], {}).batches
    assert recorded_resource(batch) == "replicationcontrollers"


async def test_the_lead_is_learnt_from_the_pods_and_outlives_a_restart(stage: Stage) -> None:
    """Behind the start: two looks of the HPA, a tick and the window of a rate."""
    started = pod("web-2", creationTimestamp="2026-11-18T08:00:00Z", uid="2")
    (ready,) = started["status"]["conditions"]
    ready["lastTransitionTime"] = "2026-11-18T08:00:40Z"
    stage.cluster.answers[PODS] = {"items": [started]}
    await stage.replicas.turn()
    (batch,) = stage.log.read(["replicas"], {}).batches
    assert recorded_startup(batch) == Startup(40_000, 1)
    assert recorded_lead_ms(batch) == 40_000 + 15_000 + 5_000 + 30_000
    stage.cluster.answers[PODS] = {"items": []}
    stage.clock.advance(REPEATED_MS)
    await stage.started(policy("web", scripted("a"))).turn()
    assert recorded_lead_ms(stage.log.newest("replicas")[0]) == 90_000


def test_what_the_nowcast_does_not_reach_waits_for_the_next_forecast() -> None:
    settings = Settings()
    assert lead_ms(70_000, settings) == 70_000 + 15_000 + 5_000 + 30_000 == SOON_MS
    assert lead_ms(70_001, settings) == SOON_MS + 1 + 60_000


async def test_a_quota_is_asked_for_where_a_policy_wants_a_share_of_it(stage: Stage) -> None:
    """Once a minute a namespace; and what runs is not written while it can't be told."""
    shared = policy("web", scripted("a"))
    limits = shared.spec.limits.model_copy(update={"quota_share": 0.8})
    replicas = stage.started(
        shared.model_copy(update={"spec": shared.spec.model_copy(update={"limits": limits})})
    )
    await replicas.turn()
    assert stage.written() == []
    quotas = "/api/v1/namespaces/default/resourcequotas"
    stage.cluster.answers[quotas] = {"items": [{"spec": {"hard": {"pods": "12"}}}]}
    await replicas.turn()
    (batch,) = stage.log.read(["replicas"], {}).batches
    assert recorded_quota(batch) == 12
    stage.cluster.answers[quotas] = {"items": []}
    stage.clock.advance(REPEATED_MS)
    await replicas.turn()
    assert recorded_quota(stage.log.newest("replicas")[0]) == float("inf")
    await stage.started(policy("web", scripted("a"))).turn()
    assert recorded_quota(stage.log.newest("replicas")[0]) != float("inf")


async def test_the_workload_s_own_labels_are_written_beside_what_runs(stage: Stage) -> None:
    await stage.replicas.turn()
    assert stage.labels() == ['{"a": "1", "app": "web"}']
    assert stage.metadata.asked == [LISTED]


async def test_changed_labels_are_written_within_a_minute(stage: Stage) -> None:
    await stage.replicas.turn()
    stage.clock.advance(1_000)
    stage.cluster.answers[SCALE]["spec"]["replicas"] = 3
    await stage.replicas.turn()  # so that the next record is none of those that are written anyway
    stage.metadata.labels = {"web": {"app": "other"}}
    stage.clock.advance(LISTED_MS - 1_001)
    await stage.replicas.turn()
    assert stage.labels() == ['{"a": "1", "app": "web"}'] * 2
    stage.clock.advance(1)
    await stage.replicas.turn()
    assert stage.labels()[2:] == ['{"app": "other"}']


@pytest.mark.parametrize("none", [{}, None])
async def test_no_labels_are_known_to_be_none(none: dict[str, str] | None, stage: Stage) -> None:
    stage.metadata.labels = {"web": none}
    await stage.replicas.turn()
    assert stage.labels() == ["{}"]


async def test_a_collection_is_listed_once_for_all_its_workloads(stage: Stage) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments/api/scale"
    stage.cluster.answers[path] = stage.cluster.answers[SCALE]
    stage.metadata.labels = {"web": {"app": "web"}, "api": {"app": "api"}}
    both = stage.started(policy("web", scripted("a")), policy("api", scripted("b")))
    for _ in range(3):
        await both.turn()
    assert stage.labels() == ['{"app": "web"}', '{"app": "api"}']
    assert stage.metadata.asked == [LISTED]


async def test_without_the_right_to_list_what_runs_is_told_and_the_labels_are_not_known(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.metadata.labels = None
    for _ in range(2):
        await stage.replicas.turn()
        stage.clock.advance(LISTED_MS)
    assert [wanted for wanted, _ in stage.written()] == [2, 2]
    assert stage.labels() == [None, None]
    assert len(stage.metadata.asked) == 2
    (record,) = caplog.records
    assert "the labels of workloads are not known: GET /apis/apps/v1/" in record.getMessage()
    assert stage.metrics.get_sample_value("tidecast_replicas_failed_total") == 0


async def test_labels_outlive_a_short_failure_and_no_long_one(stage: Stage) -> None:
    await stage.replicas.turn()
    stage.metadata.labels = None
    told = []
    for _ in range(4):
        stage.clock.advance(LISTED_MS)
        await stage.replicas.turn()
        told.append(stage.labels()[-1] is not None)
    assert told == [True, True, True, False]


async def test_a_workload_that_is_younger_than_the_list_has_no_known_labels_until_the_next(
    stage: Stage,
) -> None:
    stage.metadata.labels = {}
    await stage.replicas.turn()
    assert stage.labels() == [None]
    stage.metadata.labels = {"web": {"app": "web"}}
    stage.clock.advance(LISTED_MS)
    await stage.replicas.turn()
    assert stage.labels()[1:] == ['{"app": "web"}']


@pytest.mark.parametrize(("path", "labels"), [(LABELLED, LABELS), (UNLABELLED, None)])
def test_the_bytes_of_a_record_are_pinned_with_labels_and_without(path: Path, labels: str | None) -> None:
    golden = path.read_text()
    assert as_lines(encode(golden_batch(labels), SEQ)) == golden
    assert recorded_labels(decode(bytes.fromhex(golden), SEQ)) == labels


def test_the_description_of_the_format_names_every_column() -> None:
    described = (
        (Path(record.__file__).parent / "FORMAT.md").read_text().partition("## Columns of `replicas`")[2]
    )
    names = re.findall(r"^\| (`[^|]*) \|", described.partition("\n## ")[0], re.M)
    assert set(re.findall(r"`(\w+)`", " ".join(names))) == set(golden_batch(LABELS).columns)
