"""`tidecast explain` and its JSON on what `tidecast up` is writing."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.run.program import Program, command


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("explain"), "--demo") as program:
        program.wait_for(lambda: "value" in program.workload("web")["replicas"])
        yield program


def explain(data: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return command("explain", *arguments, "--data", str(data))


def test_people_and_programs_are_told_the_same(demo: Program) -> None:
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = demo.page(f"/api/v1/explain/demo/web?at={at}")
    assert told["problem"] is None
    assert told["replicas"]["problem"] is None
    (signal,) = told["signals"]
    done = explain(demo.data, "demo/web", "--at", at)
    assert done.returncode == 0, done.stderr
    first, replicas, *rest = done.stdout.splitlines()
    assert first == f"demo/Deployment.apps/web at {at[:19]}Z"
    assert replicas.startswith(f"replicas: {told['replicas']['value']:g} was served, decided ")
    for reason in signal["reasons"]:
        assert f"  - {reason['text']}" in rest


def test_now_is_what_is_told_unless_asked(demo: Program) -> None:
    assert "was served, decided" in explain(demo.data, "demo/web").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["demo/none"], "demo/none: it is not in the log; the log has: default/tidecast, demo/night-batch"),
        (["demo/web", "--at", "noon"], "--at: 'noon' is not a time"),
        (
            ["demo/web", "--at", (datetime.now(UTC) + timedelta(days=1)).isoformat()],
            "time: it is still to come; ask for one that has passed",
        ),
    ],
)
def test_what_can_t_be_told_is_refused(demo: Program, arguments: list[str], told: str) -> None:
    done = explain(demo.data, *arguments)
    assert done.returncode == 2
    assert told in done.stderr
