"""`tidecast serve` beside `tidecast up`, as processes of their own: the log's side is killed and comes back."""

import json
import os
import shutil
import signal
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.run.program import START_SECONDS, Program, free_port
from tests.unit.adapter.api.authority import Authority

POLICY = """
---
apiVersion: tidecast.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: web, namespace: demo}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  signals: [{name: qps, source: {demo: {load: tide}}, perReplica: 4}]
"""
WEB = "demo/deployments.apps/web"
METRICS = ("qps", "qps_scaling", "replicas_scaling")


class Site:
    """Settings of both sides in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, authority = folder, Authority("log")
        self.address = f"127.0.0.1:{free_port()}"
        (folder / "ca.crt").write_text(authority.pem)
        self.log_side = self._settings("serveLog", authority, POLICY)
        self.adapter_side = self._settings("followLog", authority, "")

    def _settings(self, field: str, authority: Authority, policies: str) -> str:
        pair, file = authority.issue(self.folder, field), self.folder / f"{field}.yaml"
        link = {
            "address": self.address,
            "caFile": str(self.folder / "ca.crt"),
            "certFile": str(pair.certificate),
            "keyFile": str(pair.key),
        }
        head = "apiVersion: tidecast.dev/v1alpha1\nkind: Settings\ntick: 1s\nstaleAfter: 10s\n"
        file.write_text(f"{head}{field}: {json.dumps(link)}{policies}")
        return str(file)

    def set_shutdown_delay(self, text: str) -> None:
        """Of adapters that start from now on."""
        with Path(self.adapter_side).open("a") as file:
            file.write(f"\nshutdownDelay: {text}\n")

    def collector(self) -> Program:
        (self.folder / "collector").mkdir(exist_ok=True)
        return Program(self.folder / "collector", "--config", self.log_side)

    def adapter(self, name: str = "adapter", until_ready: bool = True) -> Program:
        (self.folder / name).mkdir(exist_ok=True)
        flags = ("--config", self.adapter_side)
        return Program(self.folder / name, *flags, role="serve", until_ready=until_ready)


def answered(adapter: Program, metric: str = "qps") -> Any:
    return adapter.metric(f"{WEB}/{metric}")


def is_number(adapter: Program) -> bool:
    return bool(answered(adapter)["kind"] == "MetricValueList")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_it_serves_while_numbers_are_fresh_then_says_that_they_are_stale_and_goes_on(site: Site) -> None:
    with site.collector() as collector, site.adapter() as adapter:
        adapter.wait_for(lambda: is_number(adapter))
        assert answered(adapter)["items"][0]["describedObject"]["name"] == "web"
        collector.process.kill()
        collector.process.wait()
        assert is_number(adapter)  # what is held is fresh for some seconds more
        adapter.wait_for(lambda: not is_number(adapter))
        status = answered(adapter)
        assert (status["kind"], status["status"]) == ("Status", "Failure")
        assert "no fresh value" in status["message"]
        told = [line.split(" ERROR ")[1] for line in adapter.output.splitlines() if "be reached" in line]
        assert len(told) == len(set(told)) > 0  # each cause once
        with site.collector():
            adapter.wait_for(lambda: is_number(adapter))
            adapter.wait_for(lambda: "the log is read again" in adapter.output)  # said when all is read
        assert adapter.stop() == 0


def test_it_may_start_before_the_log_and_ends_when_another_takes_its_place(site: Site) -> None:
    with site.adapter(until_ready=False) as adapter:
        adapter.wait_for(lambda: "can't be reached" in adapter.output)
        with site.collector() as collector:
            adapter.wait_for(lambda: is_number(adapter))
            assert collector.stop() == 0
        shutil.rmtree(collector.data)
        with site.collector():
            assert adapter.process.wait(START_SECONDS) == 2
    assert "is another one than before" in adapter.output


def test_two_adapters_serve_the_same_numbers_and_one_goes_on_alone(site: Site) -> None:
    with site.collector() as collector, site.adapter("one") as one, site.adapter("other") as other:
        one.wait_for(lambda: all_are_numbers(one))
        other.wait_for(lambda: all_are_numbers(other))
        before = times(one)
        one.wait_for(lambda: times(one) != before and all_are_decided(one) and agree(one, other))
        collector.process.kill()  # just after a tick: amid one a follower might get what the other does not
        collector.process.wait()
        assert agree(one, other)
        told = all_answered(other)
        other.process.kill()
        other.process.wait()
        assert all_answered(one) == told
        assert all_are_numbers(one)


def all_answered(adapter: Program) -> list[Any]:
    return [answered(adapter, metric) for metric in METRICS]


def agree(one: Program, other: Program) -> bool:
    return all_answered(one) == all_answered(other)


def times(adapter: Program) -> set[str]:
    """Of the measurements that the answers rest on."""
    return {answer["items"][0]["timestamp"] for answer in all_answered(adapter)}


def all_are_decided(adapter: Program) -> bool:
    """Whether nothing of a tick is still to come: what is measured has been decided upon."""
    return len(times(adapter)) == 1


def all_are_numbers(adapter: Program) -> bool:
    return {answer["kind"] for answer in all_answered(adapter)} == {"MetricValueList"}


def test_at_sigterm_it_is_not_ready_and_answers_until_the_delay_is_over(site: Site) -> None:
    site.set_shutdown_delay("2s")
    with site.collector(), site.adapter() as adapter:
        adapter.wait_for(lambda: is_number(adapter))
        assert readiness(adapter) == (200, "ok")
        os.kill(adapter.process.pid, signal.SIGTERM)
        adapter.wait_for(lambda: readiness(adapter) == (503, "shutting down"))
        assert is_number(adapter)
        assert adapter.process.wait(START_SECONDS) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_it_at_once(site: Site, second: signal.Signals) -> None:
    site.set_shutdown_delay("1h")
    with site.collector(), site.adapter() as adapter:
        os.kill(adapter.process.pid, signal.SIGTERM)
        adapter.wait_for(lambda: readiness(adapter) == (503, "shutting down"))
        os.kill(adapter.process.pid, second)
        assert adapter.process.wait(START_SECONDS) == 0


def readiness(adapter: Program) -> tuple[int, str]:
    """As a probe sees it."""
    context = ssl.create_default_context(cafile=adapter.data / "tls" / "ca.crt")
    url = f"https://127.0.0.1:{adapter.https}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
