"""The model's answers beside upstream's."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from adapter.hpa.cases.check import check
from tests.e2e.hpa_differential.upstream import ask

BATCH = 20_000


@dataclass
class Comparison:
    compared: int = 0
    errors: int = 0
    """Cases that upstream answers with an error."""
    differing: list[str] = field(default_factory=list)
    """The case as a line of JSON, and what differs."""


def compare(program: Path, cases: Iterable[dict[str, Any]]) -> Comparison:
    """Ask upstream for each case what it expects, and check the model against it."""
    done = Comparison()
    iterator = iter(cases)
    while batch := list(islice(iterator, BATCH)):
        for case, answer in zip(batch, ask(program, batch), strict=True):
            verdict = check({**case, "expect": answer}, done.compared)
            done.compared += 1
            done.errors += "error" in answer
            if verdict.differences or verdict.remarks:
                complaint = "; ".join((*verdict.differences, *verdict.remarks))
                done.differing.append(f"{complaint}\n{json.dumps({**case, 'expect': answer})}")
    return done
