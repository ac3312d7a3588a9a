"""The HPA that `tidecast hpa` prints."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from adapter.autoscaler.manifest import at_once, manifest, minor_of
from adapter.cli import tidecast
from adapter.hpa.controller import Controller
from adapter.hpa.reconcile import reconcile
from adapter.hpa.spec import Spec
from adapter.hpa.state import State
from cme.core.errors import InvalidInput
from tests.unit.adapter.configuration.test_check import JOBS, SETTINGS, WEB
from tests.unit.adapter.stage import policy
from tests.unit.hpa.given import EXTERNAL, NOW_MS, wants

ROOT = Path(__file__).parents[4]


def schedule(**bounds: int) -> dict[str, Any]:
    return {"name": f"bounds-{len(bounds)}", "start": "0 22 * * *", "duration": "10h", **bounds}


def printed(text: str, *flags: str) -> str:
    done = CliRunner().invoke(tidecast, ["hpa", "-", *flags], input=text, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_it_takes_the_decision_as_a_number_of_replicas() -> None:
    made = manifest(policy("web", schedules=[schedule(minReplicas=4)]), 36)
    assert made["metadata"] == {"name": "web", "namespace": "shop"}
    assert made["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    assert [m["object"]["metric"]["name"] for m in made["spec"]["metrics"]] == [
        "replicas_scaling",
        "replicas_schedule",
    ]
    for metric in made["spec"]["metrics"]:
        assert metric["object"]["describedObject"] == made["spec"]["scaleTargetRef"]
        assert metric["object"]["target"] == {"type": "AverageValue", "averageValue": "1"}
    assert made["spec"]["behavior"]["scaleDown"] == {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        "tolerance": "0",
    }


@pytest.mark.parametrize(
    ("bounds", "count", "most"),
    [
        ([], 1, 100),
        ([{"minReplicas": 4}], 2, 100),
        ([{"minReplicas": 400}], 2, 400),
        ([{"maxReplicas": 3}], 1, 100),  # of a night; the day's limit is not known
        ([{"minReplicas": 2, "maxReplicas": 300}], 2, 300),
    ],
)
def test_a_floor_has_a_metric_and_room(bounds: list[dict[str, int]], count: int, most: int) -> None:
    spec = manifest(policy("web", schedules=[schedule(**one) for one in bounds]), 36)["spec"]
    assert (len(spec["metrics"]), spec["minReplicas"], spec["maxReplicas"]) == (count, 1, most)


@pytest.mark.parametrize(
    ("limits", "least", "most"),
    [
        ({"minReplicas": 3, "maxReplicas": 40}, 3, 40),
        ({"minReplicas": 0}, 0, 100),
        ({"minReplicas": 200}, 200, 200),
        ({"maxReplicas": 4}, 1, 4),
    ],
)
def test_bounds_are_those_of_the_limits(limits: dict[str, int], least: int, most: int) -> None:
    spec = manifest(policy("web", limits=limits), 36)["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (least, most)
    assert [m["object"]["metric"]["name"] for m in spec["metrics"]] == ["replicas_scaling"]


def test_scale_to_zero_and_a_made_up_maximum_are_told() -> None:
    zero, whole = (f"  limits: {{minReplicas: {least}, maxReplicas: 40}}\n" for least in (0, 1))
    assert "# minReplicas 0 needs the cluster's gate HPAScaleToZero" in printed(WEB + zero)
    assert "#" not in printed(WEB + whole)
    assert "# maxReplicas is 100" in printed(WEB)


def test_it_is_followed_in_one_step_both_ways() -> None:
    spec = Spec(max_replicas=500, metrics=(EXTERNAL,), behavior=at_once(500))
    state, size = State(), 1
    for tick, wanted in enumerate((500, 1, 500, 7)):
        step = reconcile(Controller(), spec, state, wants(wanted, size), NOW_MS + tick * 15_000)
        assert step.desired == wanted
        state, size = step.state, wanted


@pytest.mark.parametrize(("version", "given"), [("1.34", False), ("v1.35.2", True), ("1.37", True)])
def test_a_tolerance_is_given_where_it_counts(version: str, given: bool) -> None:
    text = printed(WEB, "--kubernetes", version)
    for rules in yaml.safe_load(text)["spec"]["behavior"].values():
        assert ("tolerance" in rules) is given
    assert ("changes of up to 10 %" in text) is not given


@pytest.mark.parametrize("version", ["1.22", "2.0", "newest", "1.35x"])
def test_a_version_without_autoscaling_v2_is_refused(version: str) -> None:
    with pytest.raises(InvalidInput, match=r"is no version with autoscaling/v2; write 1\.23 or later"):
        minor_of(version)


def test_the_documented_one_is_the_printed_one() -> None:
    block = (
        (ROOT / "deploy/README.md").read_text().split("```yaml\napiVersion: autoscaling")[1].split("```")[0]
    )
    told = yaml.safe_load(f"apiVersion: autoscaling{block}")
    assert told == manifest(policy("web", schedules=[schedule(minReplicas=4)]), 35)


def test_each_policy_of_a_file_has_its_own() -> None:
    text = printed("---\n".join((SETTINGS, WEB, JOBS)))
    assert [one["metadata"]["name"] for one in yaml.safe_load_all(text)] == ["web", "jobs"]
    assert "*" not in text  # no anchors: people copy and change


def test_a_file_without_a_policy_is_refused() -> None:
    done = CliRunner().invoke(tidecast, ["hpa", "-"], input=SETTINGS)
    assert str(done.exception) == "<stdin>: there is no ScalingPolicy in it; name a file with one"
