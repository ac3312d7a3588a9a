"""adapter.hpa and upstream's controller agree on every case."""

import json
from pathlib import Path

import pytest

from adapter.hpa.cases.check import check
from tests.e2e.hpa_differential import generator, upstream
from tests.e2e.hpa_differential.comparison import Comparison, compare
from tests.machine import require

pytestmark = pytest.mark.e2e
BY_HAND = Path(__file__).parents[2] / "unit" / "hpa"
SLICES = range(1, 5)


@pytest.fixture(scope="module")
def program() -> Path:
    require("go")
    return upstream.program()


def agreed(found: Comparison, count: int) -> None:
    assert not found.differing, f"{len(found.differing)} of {count} differ:\n" + "\n".join(
        found.differing[:3]
    )
    assert found.compared == count
    assert found.errors < count / 5, "most cases must end with a number"


def test_replica_calculations(program: Path) -> None:
    agreed(compare(program, generator.calculations(seed=0, count=20_000)), 20_000)


def test_decisions(program: Path) -> None:
    agreed(compare(program, generator.decisions(seed=0, count=20_000)), 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SLICES)
def test_a_million_replica_calculations(program: Path, seed: int) -> None:
    agreed(compare(program, generator.calculations(seed, count=250_000)), 250_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SLICES)
def test_a_million_decisions(program: Path, seed: int) -> None:
    agreed(compare(program, generator.decisions(seed, count=250_000)), 250_000)


@pytest.mark.parametrize("file", sorted(BY_HAND.glob("*.json")), ids=lambda file: file.stem)
def test_cases_by_hand_are_what_upstream_does(program: Path, file: Path) -> None:
    """Those of its version, in the fields that it tells."""
    cases = [case for case in json.loads(file.read_text())["cases"] if case["version"] == generator.VERSION]
    assert cases
    for case, answer in zip(cases, upstream.ask(program, cases), strict=True):
        shared = {name: value for name, value in case["expect"].items() if name in answer}
        assert shared, case["id"]
        assert shared == {name: answer[name] for name in shared}, case["id"]
        assert not check({**case, "expect": answer}, 1).differences


def test_a_difference_is_found(program: Path) -> None:
    """The comparison itself: an answer that is off by one is reported with its case."""
    case = next(iter(generator.decisions(seed=0, count=1)))
    answer = upstream.ask(program, [case])[0]
    wrong = {**answer, "ready_count": answer["ready_count"] + 1}
    assert check({**case, "expect": wrong}, 1).differences
