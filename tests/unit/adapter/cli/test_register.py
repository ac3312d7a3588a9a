"""`tidecast register` and `tidecast doctor` where the cluster or the file is not as they need it."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from adapter.cli import tidecast
from cme.core.errors import InvalidInput, KubeFailed

COMMANDS = ["register", "doctor"]
NOWHERE = {
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {}}],
}


def run(command: str, folder: Path, *documents: str, flags: tuple[str, ...] = ()) -> tuple[int, str]:
    config = folder / "tidecast.yaml"
    config.write_text("---\n".join(documents))
    arguments = [command, "--config", str(config), *flags]
    done = CliRunner().invoke(tidecast, arguments, catch_exceptions=False)
    return done.exit_code, done.stdout


def nowhere(folder: Path) -> tuple[str, str]:
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(NOWHERE))
    return "--kubeconfig", str(path)


@pytest.mark.parametrize("command", COMMANDS)
def test_settings_without_a_registration_are_refused(command: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"add registration: \{\}"):
        run(command, tmp_path, "kind: Settings\n", flags=nowhere(tmp_path))


def test_a_cluster_that_does_not_answer_is_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(KubeFailed, match="/apis/apiregistration"):
        run(
            "register",
            tmp_path,
            "kind: Settings\nkubernetes: {}\nregistration: {}\n",
            flags=nowhere(tmp_path),
        )


def test_doctor_says_so_when_no_cluster_answers_and_nothing_else(tmp_path: Path) -> None:
    settings = "kind: Settings\nkubernetes: {}\nregistration: {}\n"
    code, told = run("doctor", tmp_path, settings, flags=nowhere(tmp_path))
    assert code == 1
    (line,) = told.splitlines()
    assert line.startswith("error   API server: GET /apis: ")
    assert line.endswith("is this the right kubeconfig?")


def test_doctor_tells_every_problem_of_the_file_before_it_asks(tmp_path: Path) -> None:
    code, told = run("doctor", tmp_path, "kind: Settings\ntick: 5d\nhttp: nowhere\n", flags=("--json",))
    assert code == 1
    assert {(one["level"], one["check"]) for one in json.loads(told)} == {("error", "policies")}
