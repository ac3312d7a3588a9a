"""The components by themselves: what a scenario may take for granted."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.e2e.components.cache import cached
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.failure import ComponentFailed
from tests.e2e.components.jobs import SlowGroup, produce
from tests.e2e.components.kafka import Kafka
from tests.e2e.components.kafka_client import KafkaConsumer, TopicPartition
from tests.e2e.components.load import Load
from tests.e2e.components.monitored import Monitored
from tests.e2e.components.process import Process
from tests.e2e.components.waiting import until
from tests.e2e.components.web import request
from tests.e2e.workloads import NAMESPACE, deployment, namespace

pytestmark = pytest.mark.e2e


def test_a_deployment_gets_ready_pods(control_plane: ControlPlane) -> None:
    kube = control_plane.kube
    kube.apply(namespace())
    kube.apply(deployment("sample", replicas=3))
    path = kube.path(deployment("sample"))
    until("3 pods are ready", lambda: kube.get(path)["status"].get("readyReplicas") == 3, 30)
    kube.delete(path)
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app%3Dsample"
    until("the pods are gone", lambda: not kube.items(pods), 30)


def test_prometheus_counts_requests_of_nginx(web: Monitored) -> None:
    with Load(web.nginx.port, "/") as load:
        load.rate = 50
        until("a rate near 50/s", lambda: 40 < ask(web, "sum(rate(nginx_http_requests_total[5s]))") < 60, 30)


def test_prometheus_sees_the_loopback_device(web: Monitored) -> None:
    query = 'rate(node_network_receive_bytes_total{device="lo"}[5s])'
    with Load(web.nginx.port, "/bulk") as load:
        load.rate = 30
        until("3 MB/s", lambda: ask(web, query) > 2.8e6, 30)


def test_a_group_commits_as_slowly_as_asked(kafka: Kafka) -> None:
    produce(kafka.address, "sample", 300)
    with SlowGroup(kafka.address, "sample", "readers") as group:
        until("a first commit", lambda: committed(kafka) == 0, 30)
        group.rate = 50
        until("50 records are read", lambda: committed(kafka) >= 50, 30)
    assert committed(kafka) < 300


def test_a_program_that_dies_is_quoted(tmp_path: Path) -> None:
    process = Process(["sh", "-c", "echo no such thing >&2; exit 3"], tmp_path / "x.log", lambda: False)
    with pytest.raises(ComponentFailed, match=r"x ended with 3[\s\S]*no such thing"):
        process.start()


def ask(web: Monitored, query: str) -> float:
    """The one value of an instant query; 0 while there is none."""
    answer = request("GET", f"{web.prometheus.address}/api/v1/query?{urlencode({'query': query})}")
    result = json.loads(answer.body)["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def committed(kafka: Kafka) -> int:
    """The group's offset; -1 while there is none."""
    consumer = KafkaConsumer(bootstrap_servers=kafka.address, group_id="readers")
    try:
        offset = consumer.committed(TopicPartition("sample", 0))
        return -1 if offset is None else int(offset)
    finally:
        consumer.close()


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fail(out: Path) -> None:
        (out / "half").touch()
        raise ComponentFailed("no")

    with pytest.raises(ComponentFailed):
        cached("sample", [b"1"], fail)
    made = cached("sample", [b"1"], lambda out: (out / "whole").touch())
    assert [path.name for path in made.iterdir()] == ["whole"]
    assert cached("sample", [b"1"], fail) == made
    assert {path.name for path in made.parent.iterdir()} == {made.name, "sample.lock"}
