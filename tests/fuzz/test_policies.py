"""Damaged files of settings and policies: a policy that can be used, or InvalidInput, within a second."""

import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from adapter.configuration.check import check
from adapter.configuration.load import read_configuration
from cme.collector.records import describe
from cme.core.documents import parse_document
from cme.core.errors import InvalidInput
from cme.core.overrides import bounds_of
from cme.core.policy import ScalingPolicy
from cme.core.schedules import Told
from cme.core.settings import Configuration
from cme.policies.standing import Standing
from cme.sources.registry import check_source
from predictor.decide.rules import compile_rules
from tests.fuzz import BASE_SEED
from tests.fuzz.policies import BOMBS, damaged, one_fault_each
from tests.unit.adapter.stage import NOW

Reader = Callable[[Path], str | None]

COUNT = 2_000
LONGEST_S, LONGEST_S_A_BYTE = 1.0, 6e-6
"""Of processor time, for one file: PyYAML takes some 4 us a byte, also of a file of megabytes, and no more than that."""


def fuzz(first: int, count: int, folder: Path, seed: int = BASE_SEED) -> Counter[str]:
    """Files `first` to `first + count - 1` of the seed."""
    tally: Counter[str] = Counter()
    for number in range(first, first + count):
        reader = (_read_by_up, _read_by_check)[number % 2]
        judged(damaged(random.Random(f"{seed}-{number}")), folder / "policies.yaml", reader, tally)
    print(dict(tally))
    return tally


def fuzz_fields(folder: Path) -> Counter[str]:
    tally: Counter[str] = Counter()
    for content in one_fault_each():
        judged(content, folder / "policies.yaml", _read_by_up, tally)
    print(dict(tally))
    return tally


def judged(content: bytes, file: Path, reader: Reader, tally: Counter[str]) -> None:
    """Count what was made of it. Raises AssertionError that shows it."""
    file.write_bytes(content)
    begun = time.process_time()
    try:
        problem = reader(file)
        spent = time.process_time() - begun
        allowed = LONGEST_S + LONGEST_S_A_BYTE * len(content)
        assert spent < allowed, f"it took {spent:.1f} s of {allowed:.1f}"
        assert len(problem or "") < 4_000, "a message that nobody reads"
    except Exception as error:
        raise AssertionError(f"{error!r:.2000}\n{content[:2_000]!r} ({len(content)} bytes)") from error
    tally["invalid" if problem else "valid"] += 1


def _read_by_up(file: Path) -> str | None:
    """As `tidecast up` reads a file: the fault that it stops at."""
    try:
        configuration = read_configuration(file, {})
        _check_sources(configuration)
    except InvalidInput as error:
        return str(error)
    _use(configuration)
    return None


def _read_by_check(file: Path) -> str | None:
    """As `tidecast check` reads it: the longest of its problems. What it takes works."""
    try:
        problems = check([file]).problems
    except InvalidInput as error:
        return str(error)
    if problems:
        return max(map(str, problems), key=len)
    fault = _read_by_up(file)
    assert fault is None or "connection" in fault, "what a source may use is known beside Settings only"
    return None


def _check_sources(configuration: Configuration) -> None:
    """Raises InvalidInput."""
    for policy in configuration.policies:
        for signal in policy.spec.signals:
            check_source(
                signal.source, configuration.settings.connections, policy.metadata.namespace, policy.key
            )


def _use(configuration: Configuration) -> None:
    """What collector, predictor and adapter make of a policy at their start."""
    for policy in configuration.policies:
        (text,) = describe([Standing.valid(policy)], NOW)[0].texts("document")
        assert parse_document(ScalingPolicy, json.loads(text), "log") == policy
    compile_rules(configuration.policies)
    for policy in configuration.policies:
        assert bounds_of(policy, NOW, Told(3)).floor >= 0


def test_damaged_policies_are_refused_or_work(tmp_path: Path) -> None:
    tally = fuzz(0, COUNT, tmp_path)
    assert min(tally["valid"], tally["invalid"]) > COUNT / 20, "else it does not reach what it is to try"


def test_bombs_are_refused_or_work(tmp_path: Path) -> None:
    for bomb, reader in itertools.product(BOMBS, (_read_by_up, _read_by_check)):
        judged(bomb, tmp_path / "bomb.yaml", reader, Counter())
