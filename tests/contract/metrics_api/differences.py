"""Where a server is known to differ from the contract, and why that stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.contract.metrics_api.cases import CASES
from tests.contract.metrics_api.verdicts import Verdict


@dataclass(frozen=True)
class Differences:
    """`reasons`: case -> why."""

    server: str
    reasons: Mapping[str, str]


DIFFERENCES = {
    "tidecast": Differences("tidecast", {}),
    "aggregator": Differences("tidecast through the aggregator", {}),
    "go": Differences("the Go library's test-adapter", {}),
}


def failures(verdicts: Sequence[Verdict], known: Mapping[str, str]) -> list[str]:
    """Lines of what differs without being known to, and of what is known to and does not."""
    seen = {verdict.case for verdict in verdicts if verdict.difference or verdict.lacking}
    outdated = [f"{name} does not differ any more" for name in sorted(set(known) - seen)]
    return [v.line() for v in verdicts if v.difference and not v.reason] + outdated


def as_markdown() -> str:
    """A table for each server."""
    about = {case.name: case.about for case in CASES}
    return "\n\n".join(_table(one, about) for one in DIFFERENCES.values())


def _table(differences: Differences, about: Mapping[str, str]) -> str:
    rows = [
        f"| `{name}` | {about[name]} | {reason} |" for name, reason in sorted(differences.reasons.items())
    ]
    head = ["| request | what it is | why it differs |", "|---|---|---|"]
    return "\n".join([f"### {differences.server}", "", *(head + rows if rows else ["None."])])
