"""Scenarios for tests: a sound one, and others made of it."""

from pathlib import Path

import pytest

from adapter.replay.scenario.build import read_scenario
from adapter.replay.scenario.lines import BrokenScenario
from adapter.replay.scenario.scenario import Scenario

POLICY = """\
policy:
  apiVersion: tidecast.dev/v1alpha1
  kind: ScalingPolicy
  metadata: {name: web, namespace: shop}
  spec:
    targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
    timeZone: Europe/Berlin
    signals:
      - {name: qps, source: {prometheus: {}}, perReplica: 100}
      - {name: arrivals, source: {kafka: {}}, perReplica: 2}
      - {name: jobs, source: {kafka: {}}, perReplica: 40, drain: {within: 10m, arrivals: arrivals}}
    scaleDown: {window: 0s}
    limits: {minReplicas: 2, maxReplicas: 100}
"""
RUN = "run from 2026-03-02 09:00 to 10:00\n"
LOADS = "load qps: 1000\nload arrivals: 0\n"
EXPECTED = "at 09:30 expect 10 replicas because raw\n"
SOUND = POLICY + RUN + LOADS + EXPECTED


def read(text: str, folder: Path) -> Scenario:
    file = folder / "a.scenario"
    file.write_text(text)
    return read_scenario(file)


def problems(text: str, folder: Path) -> list[str]:
    """`LINE: what`, of a text that is broken."""
    with pytest.raises(BrokenScenario) as refused:
        read(text, folder)
    assert {problem.file for problem in refused.value.problems} == {str(folder / "a.scenario")}
    return [f"{problem.line}: {problem.text}" for problem in refused.value.problems]
