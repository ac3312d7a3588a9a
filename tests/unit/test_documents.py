"""Every setting, metric, command, source, policy field and served metric is documented, and nothing else is."""

import re
from pathlib import Path

import click
import pytest
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from adapter.cli import tidecast
from adapter.replay.scenario.figures import FIGURES
from adapter.replay.scenario.grammar import FORMS
from cme.core.annotations import FORCE_RAW, PAUSE, PIN
from cme.core.policy import Forecast, ReplicaLimits, ScaleDown, ScaleUp, Schedule, Signal, Spec
from cme.core.settings import Certificate, Connection, KafkaLink, Kubernetes, LogLink, Registration, Settings
from cme.runtime.telemetry import AdapterTelemetry, CollectorTelemetry, PredictorTelemetry, RoleTelemetry
from cme.sources.registry import KINDS

ROOT = Path(__file__).parents[2]


def text(path: str) -> str:
    return (ROOT / path).read_text()


def rows(path: str) -> set[str]:
    """What stands in backquotes in the first cell of any row of a table."""
    first = re.findall(r"^\| (`[^|]*) \|", text(path), re.M)
    return {name for cell in first for name in re.findall(r"`([^`]+)`", cell)}


def fields(model: type[BaseModel]) -> set[str]:
    return {to_camel(name) for name in model.model_fields} - {"apiVersion", "kind"}


def test_every_setting_is_documented() -> None:
    models: tuple[type[BaseModel], ...] = (
        Settings,
        Connection,
        Kubernetes,
        Certificate,
        LogLink,
        KafkaLink,
        Registration,
    )
    assert rows("docs/settings.md") == {field for model in models for field in fields(model)}


def test_the_documented_defaults_of_settings_are_the_true_ones() -> None:
    cells = re.findall(r"^\| `(\w+)` \| [^|]*\| `([^|`]+)` \|", text("docs/settings.md"), re.M)
    true = Settings().model_dump(mode="json", by_alias=True)
    assert cells
    assert dict(cells) == {name: str(true[name]) for name, _ in cells}


def test_every_metric_is_documented_with_its_type_and_labels() -> None:
    registry = CollectorRegistry()
    for telemetry in (CollectorTelemetry, PredictorTelemetry, RoleTelemetry, AdapterTelemetry):
        telemetry(registry)
    exported = {
        f"{family.name}_total" if family.type == "counter" else family.name: family.type
        for family in registry.collect()
    }
    documented = dict(re.findall(r"^\| `(tidecast_\w+)` \| (\w+) \|", text("docs/metrics.md"), re.M))
    assert documented == exported


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        (Signal, "spec.signals[]."),
        (Spec, "spec."),
        (Forecast, "spec.forecast."),
        (ScaleUp, "spec.scaleUp."),
        (ScaleDown, "spec.scaleDown."),
        (ReplicaLimits, "spec.limits."),
        (Schedule, "spec.schedules[]."),
    ],
)
def test_every_field_of_a_policy_is_documented(model: type[BaseModel], prefix: str) -> None:
    page = text("docs/policies.md")
    for name in fields(model) - {"name"}:
        assert f"`{prefix}{name}" in page or f"`{name}`" in page, f"{prefix}{name}"


def test_every_annotation_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(tidecast\.dev/[a-z-]+): ", text("docs/policies.md"), re.M))
    assert documented == {PAUSE, FORCE_RAW, PIN}


@pytest.mark.parametrize(
    ("name", "command"), sorted(tidecast.commands.items()), ids=sorted(tidecast.commands)
)
def test_every_command_and_flag_is_documented(name: str, command: click.Command) -> None:
    page = text("docs/commands.md")
    assert f"\n## `tidecast {name}" in page
    section = page.split(f"\n## `tidecast {name}")[1].split("\n## ")[0]
    flags = {flag for option in command.params for flag in option.opts if flag.startswith("--")}
    assert set(re.findall(r"^\| `(--[\w-]+)", section, re.M)) == flags


def test_every_statement_and_figure_of_scenarios_is_documented_and_no_other() -> None:
    documented = rows("docs/scenarios.md")
    assert documented == {form.example for form in FORMS} | set(FIGURES)


def test_every_source_is_documented_with_its_fields() -> None:
    page = text("cme/sources/README.md")
    for name, kind in KINDS.items():
        assert f"\n### {name}\n" in page, name
        section = page.split(f"\n### {name}\n")[1].split("\n### ")[0]
        for field in fields(kind.spec):
            assert f"`{field}`" in section, f"{name}.{field}"


@pytest.mark.parametrize("path", sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md")))
def test_links_lead_somewhere(path: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text(path)):
        assert (ROOT / path).parent.joinpath(target).exists(), f"{path} links to {target}"
