"""A file of policies that is written while tidecast runs."""

import logging
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from adapter.configuration.load import read_configuration
from adapter.configuration.reload import PolicyFile
from cme.policies.standing import Fate, in_effect
from cme.runtime.telemetry import CollectorTelemetry
from tests.unit.cme.policies.written import document, policy


class Stage:
    def __init__(self, path: Path) -> None:
        self.path, self.registry = path, CollectorRegistry()
        self.write(document("web"))
        configuration = read_configuration(path, {})
        self.file = PolicyFile(configuration, [policy("shown")], CollectorTelemetry(self.registry))

    def write(self, *documents: object) -> None:
        self.path.write_text(yaml.safe_dump_all(documents))

    @property
    def names(self) -> list[str]:
        return [one.metadata.name for one in in_effect(self.file.standings)]

    @property
    def valid(self) -> float | None:
        return self.registry.get_sample_value("tidecast_configuration_valid")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "tidecast.yaml")


def test_what_is_not_written_anew_does_not_change(stage: Stage) -> None:
    assert not stage.file.look()
    stage.write(document("web"))
    assert not stage.file.look()
    assert stage.names == ["shown", "web"]


def test_policies_come_change_and_go(stage: Stage) -> None:
    stage.write(document("web", scaleDown={"window": "5m"}), document("api"))
    assert stage.file.look()
    assert stage.names == ["shown", "web", "api"]
    assert in_effect(stage.file.standings)[1].spec.scale_down.window == 300_000
    stage.write({"kind": "Settings"})
    assert stage.file.look()
    assert stage.names == ["shown"]


@pytest.mark.parametrize(
    "text",
    [
        "kind: [",
        yaml.safe_dump(document("web", signals=[])),
        yaml.safe_dump_all([document("a"), document("a")]),
        yaml.safe_dump(document("web", signals=[{"name": "q", "source": {"nothing": {}}, "perReplica": 1}])),
        None,
    ],
)
def test_a_broken_file_keeps_the_last_good_policies_and_says_so(
    text: str | None, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    assert stage.valid == 1
    if text is None:
        stage.path.unlink()
    else:
        stage.path.write_text(text)
    with caplog.at_level(logging.ERROR):
        assert stage.file.look()
        assert not stage.file.look()
    assert stage.names == ["shown", "web"]
    assert stage.valid == 0
    shown, web = stage.file.standings
    assert (shown.fate, web.fate) == (Fate.IN_EFFECT, Fate.INVALID)
    (record,) = caplog.records
    assert web.problem in record.getMessage()
    stage.write(document("web"))
    assert stage.file.look()
    assert stage.valid == 1
    assert {one.fate for one in stage.file.standings} == {Fate.IN_EFFECT}
