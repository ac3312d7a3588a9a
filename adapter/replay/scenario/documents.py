"""Policies and HPAs that a scenario names or holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapter.autoscaler.live import LiveHpa, hpas
from adapter.configuration.yaml_file import InvalidYaml, YamlDocument, parse_documents, read_documents
from adapter.replay.scenario.lines import BrokenScenario, Line, refused
from adapter.replay.scenario.statements import HpaOf, PolicyOf
from cme.core.documents import InvalidDocument
from cme.core.policy import ScalingPolicy
from cme.core.settings import Settings, parse_configuration


def policy_of(line: Line, asked: PolicyOf) -> tuple[ScalingPolicy, Settings]:
    """And the settings beside it. Raises InvalidInput, BrokenScenario for faults of what is written beneath."""
    documents, name = _documents(line, asked.file)
    with _faults_of(line, documents, asked.file):
        found = parse_configuration([document.data for document in documents], name)
    fitting = [one for one in found.policies if asked.key in (None, one.key)]
    if len(fitting) != 1:
        there = ", ".join(one.key for one in found.policies) or "none"
        what = f"there is no policy {asked.key}" if asked.key else f"there are {len(fitting)} policies"
        raise refused(f"{what}: {there}", "name one as in: policy all.yaml media/transcoder")
    return fitting[0], found.settings


def hpa_of(line: Line, asked: HpaOf, policy: ScalingPolicy) -> LiveHpa:
    """The one that scales the policy's workload. Raises InvalidInput."""
    documents, name = _documents(line, asked.file)
    found = [one for one in hpas([document.data for document in documents], name) if one.scales(policy)]
    if len(found) != 1:
        raise refused(f"{len(found)} HPAs scale {policy.workload}", "give one, in the policy's namespace")
    return found[0]


def _documents(line: Line, file: str | None) -> tuple[list[YamlDocument], str]:
    """Beside the scenario's own file, or what is written beneath the line."""
    if file is not None:
        path = Path(line.file).parent / file
        return read_documents(path), str(path)
    try:
        return list(parse_documents(line.block, line.file)), line.file
    except InvalidYaml as error:
        raise BrokenScenario([line.problem(f"{error.what}; {error.remedy}", error.line)]) from None


@contextmanager
def _faults_of(line: Line, documents: list[YamlDocument], file: str | None) -> Iterator[None]:
    """Tell each fault of what is written beneath at its own line."""
    try:
        yield
    except InvalidDocument as error:
        if file is not None or len(documents) != 1:
            raise
        faults = [line.problem(str(fault), documents[0].line(fault.path)) for fault in error.faults]
        raise BrokenScenario(faults) from None
