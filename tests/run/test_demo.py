"""`tidecast up --demo`: what a newcomer sees, without a cluster and without a configuration."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.program import Program

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("demo"), "--demo") as program:
        program.wait_for(lambda: "metrics API:" in program.output)
        yield program


def test_the_printed_curl_line_returns_the_requests_of_this_process(demo: Program) -> None:
    found = re.search(r"metrics API: (curl .*)", demo.output)
    assert found
    demo.wait_for(lambda: "value" in demo.workload("tidecast")["signals"][0]["raw"])
    for _ in range(20):
        demo.page("/api/v1/workloads")
    demo.wait_for(lambda: demo.workload("tidecast")["signals"][0]["raw"]["value"] > 0)
    answer = subprocess.run([*shlex.split(found[1]), "--silent"], capture_output=True, text=True, check=True)
    document = json.loads(answer.stdout)
    (item,) = document["items"]
    assert document["kind"] == "MetricValueList"
    assert item["describedObject"]["name"] == "tidecast"
    assert item["metric"]["name"] == "qps"
    assert re.fullmatch(r"[1-9]\d*m?", item["value"])


def test_the_printed_address_is_that_of_the_page(demo: Program) -> None:
    assert f"page:        http://127.0.0.1:{demo.http}/" in demo.output


@pytest.mark.parametrize(
    ("name", "signal"), [("web", "cores"), ("transcoder", "queue_backlog"), ("night-batch", "qps")]
)
def test_a_demonstration_workload_has_28_days_of_history(demo: Program, name: str, signal: str) -> None:
    history = demo.page(f"/api/v1/history/demo/deployments.apps/{name}/{signal}?span=28d")
    days = (history["times_ms"][-1] - history["times_ms"][0]) / DAY_MS
    assert days > 27.9
    assert all(value is not None for value in history["mean"])


def test_this_machine_shows_its_bandwidth(demo: Program) -> None:
    def told() -> bool:
        return all("value" in signal["raw"] for signal in demo.workload("tidecast")["signals"])

    demo.wait_for(told)
    units = {signal["name"]: signal["unit"] for signal in demo.workload("tidecast")["signals"]}
    assert units == {"qps": "1/s", "bandwidth_in": "B/s", "bandwidth_out": "B/s"}


def test_forecasts_come_with_the_past_learnt(demo: Program) -> None:
    demo.wait_for(lambda: "value" in demo.workload("web")["signals"][0]["predicted"])
    history = demo.page("/api/v1/history/demo/deployments.apps/web/cores")
    median, upper = history["forecast"]["q50"], history["forecast"]["q95"]
    assert all(0 <= low <= high for low, high in zip(median, upper, strict=True))


def test_served_replicas_are_what_the_served_load_implies(demo: Program) -> None:
    demo.wait_for(lambda: "value" in demo.workload("web")["replicas"])
    item = demo.metric("demo/deployments.apps/web/cores_scaling")["items"][0]
    cores = float(item["value"].removesuffix("m")) / (1000 if item["value"].endswith("m") else 1)
    replicas = demo.metric("demo/deployments.apps/web/replicas_scaling")["items"][0]["value"]
    assert abs(int(replicas) - cores / 4) <= 1.5  # the two were read a moment apart


def test_an_unknown_metric_is_a_status_that_names_the_known_ones(demo: Program) -> None:
    status = demo.metric("demo/deployments.apps/web/cpu")
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 404, "NotFound")
    assert "replicas_scaling" in status["message"]


def test_metrics_of_all_parts_are_on_one_page(demo: Program) -> None:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{demo.http}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    for name in ("tidecast_source_read_seconds", "tidecast_decide_seconds", "tidecast_http_requests_total"):
        assert name in text


def test_state_survives_a_restart(tmp_path: Path) -> None:
    path = "/api/v1/history/demo/deployments.apps/web/cores?span=28d"
    with Program(tmp_path, "--demo") as first:
        first.wait_for(lambda: "value" in first.workload("web")["signals"][0]["predicted"])
        before = first.page(path)
        assert first.stop() == 0
    with Program(tmp_path, "--demo") as again:
        after = again.page(path)
        again.wait_for(lambda: "value" in again.workload("web")["signals"][0]["predicted"])
        assert "writing 28 days" not in again.output
        assert again.stop() == 0
    common = slice(1, len(before["times_ms"]) - 1)  # an hour may have come, and one gone
    assert before["times_ms"][common] == [t for t in after["times_ms"] if t in before["times_ms"][common]]
