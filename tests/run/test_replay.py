"""`tidecast replay` as a person calls it: on traces, and on the log that `tidecast up` leaves."""

import gzip
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.run.program import command

POLICY = """
apiVersion: tidecast.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: web, namespace: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  signals: [{name: qps, source: {host: {measure: qps}}, perReplica: 10}]
  forecast: {quantile: 0.9, lead: 3m}
  scaleDown: {window: 5m}
  schedules: [{name: day, start: "0 8 * * *", duration: 10h, minReplicas: 5}]
"""
HPA = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: today, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 50
  metrics:
    - type: Object
      object:
        describedObject: {apiVersion: apps/v1, kind: Deployment, name: web}
        metric: {name: qps}
        target: {type: AverageValue, averageValue: "8"}
  behavior: {scaleDown: {stabilizationWindowSeconds: 120}}
"""


def replay(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return command("replay", *arguments, seconds=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a policy, an HPA, and a day and a half of a tide with a burst in every hour."""
    made = tmp_path_factory.mktemp("replay")
    (made / "policy.yaml").write_text(POLICY)
    (made / "hpa.yaml").write_text(HPA)
    minutes = np.arange(36 * 60)
    loads = 100 + 80 * np.sin(minutes / 1440 * 2 * np.pi) + 150 * (minutes % 60 < 5)
    with gzip.open(made / "web.csv.gz", "wt") as file:
        file.writelines(
            ["timestamp,value\n", *(f"{n * 60},{load}\n" for n, load in zip(minutes, loads, strict=True))]
        )
    return made


def test_a_trace_is_gone_through_under_each_contender(folder: Path) -> None:
    policy, trace = str(folder / "policy.yaml"), f"qps={folder / 'web.csv.gz'}"
    out = folder / "out"
    done = replay(
        policy, "--trace", trace, "--hpa", str(folder / "hpa.yaml"), "--price", "0.5", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    (found,) = json.loads((out / "replay.json").read_text())
    names = [f"{one['family']} {one['setting']}".strip() for one in found["contenders"]]
    assert names == ["tidecast", "HPA today", "cron only", "static 33", "hindsight"]
    assert all(name in done.stdout for name in names)
    by = dict(zip(names, found["contenders"], strict=True))
    assert by["static 33"]["short"] == by["hindsight"]["short"] == 0
    assert by["hindsight"]["cost"] < by["tidecast"]["cost"] < by["static 33"]["cost"]
    assert by["tidecast"]["short"] < by["cron only"]["short"]
    assert by["static 33"]["cost"] == pytest.approx(33 * 18 / 2, rel=0.01)
    assert "tidecast replay of policy.yaml" in (out / "report.html").read_text()
    assert len(found["times_s"]) == len(found["demand"]) == len(by["tidecast"]["capacity"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--trace", "qps"], "'qps' is not SIGNAL=FILE"),
        (["--trace", "rps=web.csv.gz"], "signal qps of shop/web has no trace"),
        (["--prometheus"], "is not read from a Prometheus"),
        (["--trace", "qps=nothing.csv.gz"], "can't be read"),
        (["--startup", "7"], "is not a duration"),
    ],
)
def test_what_can_not_be_gone_through_is_told(folder: Path, arguments: list[str], told: str) -> None:
    done = replay(str(folder / "policy.yaml"), *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
