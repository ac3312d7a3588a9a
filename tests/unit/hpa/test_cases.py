"""The files of cases and the command that runs them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.hpa.cases.__main__ import main
from adapter.hpa.cases.check import check

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.json"))


def run(*files: Path) -> Result:
    return CliRunner().invoke(main, [str(file) for file in files])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_cases_by_hand_pass(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 0, result.output
    count = len(json.loads(file.read_text())["cases"])
    assert result.output == f"{count} passed, 0 failed\n"


GOOD: dict[str, Any] = {
    "id": "one",
    "kind": "convert_without_behavior",
    "version": "1.36",
    "in": {"current_replicas": 5, "desired": 7, "min_replicas": 3, "max_replicas": 8},
    "expect": {"replicas": 7},
}


def written(path: Path, *cases: object) -> Path:
    path.write_text(json.dumps({"cases": cases}))
    return path


def test_a_difference_is_printed_and_counted(tmp_path: Path) -> None:
    result = run(written(tmp_path / "x.json", GOOD, {**GOOD, "expect": {"replicas": 8, "reason": "No"}}))
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "one: replicas: expected 8, the model gives 7",
        "one: reason: expected 'No', the model gives 'DesiredWithinRange'",
        "1 passed, 1 failed",
    ]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "magic"}, "malformed: unknown kind 'magic'"),
        ({"version": "1.2"}, "malformed: unknown version '1.2'; known: 1.30, 1.33, 1.36, 1.37"),
        ({"in": {}}, "malformed: in.current_replicas is missing"),
        ({"in": 3}, "malformed: in is not an object"),
        ({"expect": {}}, "malformed: expect is not an object that says something"),
        (
            {"in": {**GOOD["in"], "desired": 1.5}},
            "malformed: in.desired is not a whole number of 64 bits: 1.5",
        ),
        (
            {"in": {**GOOD["in"], "desired": True}},
            "malformed: in.desired is not a whole number of 64 bits: True",
        ),
        (
            {"in": {**GOOD["in"], "desired": 2**64}},
            f"malformed: in.desired is not a whole number of 64 bits: {2**64}",
        ),
        ({"in": {**GOOD["in"], "gates": {"x": True}}}, "malformed: gates: Kubernetes 1.36 has no x"),
    ],
)
def test_what_can_not_be_run_fails_by_name(change: dict[str, Any], complaint: str) -> None:
    verdict = check({**GOOD, **change}, 1)
    assert len(verdict.differences) == 1
    assert verdict.differences[0].startswith(complaint)


@pytest.mark.parametrize("case", [3, None, {}, {"id": 7}])
def test_a_case_without_a_name_is_called_by_its_place(case: object) -> None:
    verdict = check(case, 4)
    assert verdict.id == "case 4"
    assert verdict.differences[0].startswith("malformed")


def test_an_expected_field_that_is_not_computed_fails() -> None:
    verdict = check({**GOOD, "expect": {"color": "red"}}, 1)
    assert verdict.differences == ("color: expected 'red', the model gives only reason, replicas",)


def test_true_is_not_one() -> None:
    steps = json.loads((HERE / "steps.json").read_text())["cases"]
    assert check({**steps[1], "expect": {"rescaled": 1}}, 1).differences


def test_an_error_where_a_number_was_expected_is_told() -> None:
    calculations = json.loads((HERE / "calculations.json").read_text())["cases"]
    case = next(one for one in calculations if one["expect"] == {"error": "no_pods"})
    verdict = check({**case, "expect": {"replicas": 1}}, 1)
    assert verdict.differences == ("replicas: expected 1, the model gives error metrics_error or no_pods",)


def test_a_field_without_meaning_is_noted_but_does_not_fail(tmp_path: Path) -> None:
    result = run(written(tmp_path / "x.json", {**GOOD, "in": {**GOOD["in"], "tolerence": 1}}))
    assert result.exit_code == 0
    assert "one: note: in.tolerence has no meaning here" in result.output


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cases": []}', '{"cases": 3}'])
def test_a_file_without_cases_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    result = run(tmp_path / "x.json")
    assert result.exit_code == 1
    assert "x.json" in result.output
    assert run(tmp_path / "absent.json").exit_code == 1


def metric(**fields: object) -> dict[str, Any]:
    steps = json.loads((HERE / "steps.json").read_text())["cases"]
    pods = [{"phase": "Running", "ready": True, "metric_m": 1, "request_m": 1}]
    usual = {"type": "Resource", "resource": "cpu", "target": {"utilization": 50}, "pods": pods}
    given = {**steps[0]["in"], "metrics": [usual, {**usual, **fields}]}
    return {**steps[0], "in": given, "expect": {"replicas": 1}}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"type": "Magic"}, "in.metrics[1].type is none of"),
        ({"target": {}}, "in.metrics[1].target must have one of"),
        ({"target": {"value_m": 1}}, "in.metrics[1]: target: a Resource metric has no Value"),
        ({"type": "Object", "target": {"value_m": 1}}, "in.metrics[1].usage_m is missing"),
        ({"pods": [{"phase": "Failed", "ready": True}]}, "in.metrics disagree on pod 0"),
        ({"pods": [{"phase": "Failed", "ready": True}] * 2}, "in.metrics list different numbers of pods"),
    ],
)
def test_metrics_that_make_no_sense(fields: dict[str, Any], complaint: str) -> None:
    verdict = check(metric(**fields), 1)
    assert verdict.differences[0].startswith(f"malformed: {complaint}")


def test_one_flag_gives_one_tolerance() -> None:
    steps = json.loads((HERE / "steps.json").read_text())["cases"]
    config = {"tolerance": {"down": 0.1, "up": 0.2}}
    verdict = check({**steps[0], "in": {**steps[0]["in"], "config": config}}, 1)
    assert verdict.differences == ("malformed: in.config.tolerance must be one number for both directions",)
