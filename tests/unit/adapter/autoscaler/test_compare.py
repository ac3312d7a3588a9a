"""What of a live HPA does not fit a policy."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.autoscaler.compare import compare
from adapter.autoscaler.live import hpas
from adapter.autoscaler.manifest import manifest
from adapter.cli import tidecast
from cme.core.errors import InvalidInput
from tests.unit.adapter.configuration.test_check import JOBS, WEB
from tests.unit.adapter.stage import policy

FLOOR = {"name": "floor", "start": "0 22 * * *", "duration": "10h", "minReplicas": 4}
CEILING = {"name": "ceiling", "start": "0 8 * * *", "duration": "10h", "maxReplicas": 20}
POLICY = policy("web", schedules=[FLOOR, CEILING], scaleDown={"window": "5m"})
FITTING = manifest(POLICY, 36)
WINDOW = (
    "stacked: spec.behavior.scaleDown.stabilizationWindowSeconds: delays a change from 100 to 1 replicas by"
)


def metric(
    name: str, amount: str = "1", kind: str = "Object", target: str = "AverageValue"
) -> dict[str, Any]:
    field = "value" if target == "Value" else "averageValue"
    body: dict[str, Any] = {"metric": {"name": name}, "target": {"type": target, field: amount}}
    if kind == "Object":
        body["describedObject"] = FITTING["spec"]["scaleTargetRef"]
    return {"type": kind, kind.lower(): body}


def found(*changes: tuple[str, Any], minor: int = 36) -> list[str]:
    """Findings after changes of the fitting HPA, each a path and what then stands there (None: nothing)."""
    live = copy.deepcopy(FITTING)
    for path, value in changes:
        *way, last = path.split(".")
        place: Any = live["spec"]
        for part in way:
            place = place[int(part) if isinstance(place, list) else part]
        if value is None:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value
    return [str(finding) for finding in compare(POLICY, hpas([live], "live.yaml"), minor)]


def test_the_printed_one_fits() -> None:
    assert found() == []
    assert found(minor=30) == []


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (
            "behavior.scaleDown.stabilizationWindowSeconds",
            120,
            f"{WINDOW} 120 s on top of the policy's window of 5m; write it as `tidecast hpa` does",
        ),
        ("behavior.scaleDown.stabilizationWindowSeconds", None, f"{WINDOW} 300 s"),
        (
            "behavior.scaleDown.policies",
            [{"type": "Pods", "value": 9, "periodSeconds": 60}],
            "stacked: spec.behavior.scaleDown.policies: delays a change from 100 to 1 replicas by 600 s",
        ),
        (
            "behavior.scaleDown.selectPolicy",
            "Disabled",
            "stacked: spec.behavior.scaleDown.selectPolicy: delays a change from 100 to 1 replicas by more than a day",
        ),
        (
            "behavior.scaleUp.stabilizationWindowSeconds",
            30,
            "stacked: spec.behavior.scaleUp.stabilizationWindowSeconds: delays a change from 1 to 100 replicas by 30 s;",
        ),
        (
            "behavior.scaleUp.policies",
            None,
            "stacked: spec.behavior.scaleUp.policies: delays a change from 1 to 100 replicas by 75 s;",
        ),
        (
            "behavior.scaleUp.tolerance",
            None,
            "stacked: spec.behavior.scaleUp.tolerance: a change of up to 10 % (the controller's) is never followed",
        ),
        (
            "behavior.scaleDown.tolerance",
            "50m",
            "stacked: spec.behavior.scaleDown.tolerance: a change of up to 5 % is never followed",
        ),
        (
            "metrics.0",
            metric("replicas_scaling", "2"),
            "wrong: spec.metrics.0.target: replicas_scaling has AverageValue 2; write AverageValue 1",
        ),
        (
            "metrics.0",
            metric("replicas_scaling", target="Value"),
            "wrong: spec.metrics.0.target: replicas_scaling has Value 1; write AverageValue 1",
        ),
        (
            "metrics.0.object.describedObject.name",
            "jobs",
            "wrong: spec.metrics.0.object.describedObject: replicas_scaling is of the workload that is scaled; "
            "write Deployment web",
        ),
        ("metrics.0", metric("cpus"), "missing: spec.metrics: replicas_scaling is not asked for; add it"),
        ("metrics.1", metric("cpus"), "missing: spec.metrics: replicas_schedule is not asked for; add it"),
        ("maxReplicas", 3, "wrong: spec.maxReplicas: 3 is less than a schedule's floor; write 4 or more"),
        (
            "minReplicas",
            21,
            "wrong: spec.minReplicas: 21 is more than a schedule's ceiling; write 20 or less",
        ),
        (
            "scaleTargetRef.name",
            "jobs",
            "missing: spec.scaleTargetRef: no HPA scales shop/Deployment.apps/web;",
        ),
    ],
)
def test_what_does_not_fit_is_told(path: str, value: Any, told: str) -> None:
    (line,) = found((path, value))
    assert line.startswith(told)


def test_without_a_behavior_every_default_is_told() -> None:
    fields = [line.split(": ")[1].removeprefix("spec.behavior.") for line in found(("behavior", None))]
    assert fields == [
        "scaleDown.stabilizationWindowSeconds",
        "scaleUp.policies",
        "scaleUp.tolerance",
        "scaleDown.tolerance",
    ]


def test_an_older_cluster_has_no_tolerance_to_set() -> None:
    assert found(("behavior.scaleUp.tolerance", None), minor=34) == []


def of_signals(*metrics: dict[str, Any]) -> list[str]:
    return found(("metrics", [*metrics, metric("replicas_schedule")]))


def test_the_decisions_of_all_signals_do_as_well() -> None:
    qps, backlog = (
        metric("qps_scaling", "100", "Pods"),
        metric("queue_backlog_scaling", "40", "External"),
    )
    assert of_signals(qps, backlog) == []
    assert of_signals(qps) == [
        "missing: spec.metrics: replicas_scaling is not asked for; add it with AverageValue 1"
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (metric("qps", "99"), "qps has AverageValue 99; write AverageValue 100"),
        (metric("qps_scaling", "1", "Pods"), "qps_scaling has AverageValue 1; write AverageValue 100"),
        (
            metric("queue_backlog_per_replica", "40"),
            "queue_backlog_per_replica has AverageValue 40; write Value 40",
        ),
    ],
)
def test_a_signal_s_target_is_what_one_replica_carries(given: dict[str, Any], told: str) -> None:
    assert of_signals(metric("replicas_scaling"), given) == [f"wrong: spec.metrics.1.target: {told}"]


def test_a_selector_must_be_of_the_workload() -> None:
    external = metric("replicas_scaling", kind="External")
    external["external"]["metric"]["selector"] = {"matchLabels": {"tidecast.dev/workload": "jobs"}}
    assert of_signals(external) == [
        "wrong: spec.metrics.0.metric.selector: replicas_scaling is not selected by tidecast.dev/workload; "
        "its labels are tidecast.dev/kind: Deployment, tidecast.dev/workload: web"
    ]


def test_two_of_one_workload_are_told() -> None:
    other = copy.deepcopy(FITTING)
    other["metadata"]["name"] = "other"
    (finding,) = compare(POLICY, hpas([FITTING, other], "live.yaml"), 36)
    assert str(finding) == (
        "wrong: spec.scaleTargetRef: web, other scale shop/Deployment.apps/web, against each other; keep one"
    )


def against(folder: Path, policies: str, live: object) -> Result:
    file = folder / "policies.yaml"
    file.write_text(policies)
    arguments = ["hpa", str(file), "--against", "-"]
    return CliRunner().invoke(tidecast, arguments, input=json.dumps(live))


def test_people_give_what_kubectl_prints(tmp_path: Path) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [manifest(policy("web"), 36), {"kind": "Service"}]}
    done = against(tmp_path, WEB, listed)
    assert (done.exit_code, done.stdout) == (0, "shop/web: fits\n")
    done = against(tmp_path, WEB + "---\n" + JOBS, listed)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "shop/web: fits",
        "shop/jobs: missing: spec.scaleTargetRef: no HPA scales shop/Deployment.apps/jobs; `tidecast hpa` prints one",
    ]


def test_an_hpa_that_can_t_be_read_is_no_finding(tmp_path: Path) -> None:
    done = against(tmp_path, WEB, FITTING | {"apiVersion": "autoscaling/v1"})
    assert isinstance(done.exception, InvalidInput)
    assert "<stdin>, HorizontalPodAutoscaler 1: apiVersion: Input should be 'autoscaling/v2'" in str(
        done.exception
    )


def test_standard_input_is_read_once() -> None:
    done = CliRunner().invoke(tidecast, ["hpa", "-", "--against", "-"], input=WEB)
    assert str(done.exception) == "--against: both files can't be standard input; name one of them"


@pytest.mark.parametrize(
    ("limits", "bounds", "told"),
    [
        ({"minReplicas": 2, "maxReplicas": 40}, (2, 40), []),
        ({"minReplicas": 0, "maxReplicas": 40}, (1, 40), ["spec.minReplicas: 1 is not that of"]),
        ({"maxReplicas": 40}, (5, 41), ["spec.maxReplicas: 41 is not that of"]),
        ({"minReplicas": 2}, (2, 7), []),
    ],
)
def test_bounds_of_the_policys_limits_are_the_hpas(
    limits: dict[str, int], bounds: tuple[int, int], told: list[str]
) -> None:
    limited = policy("web", limits=limits)
    live = manifest(limited, 36)
    live["spec"] |= dict(zip(("minReplicas", "maxReplicas"), bounds, strict=True))
    wrong = [f for f in compare(limited, hpas([live], "live.yaml"), 36) if f.rule == "wrong"]
    assert [f"{f.field}: {f.text}".partition(" the policy's limits")[0] for f in wrong] == told
