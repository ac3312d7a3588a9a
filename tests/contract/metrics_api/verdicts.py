"""Runs the table against a server."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPException
from urllib.parse import quote

from tests.contract.metrics_api.cases import CASES, Case, instances
from tests.contract.metrics_api.client import Client
from tests.contract.metrics_api.found import Found
from tests.contract.metrics_api.laws import Asked, Broken


@dataclass(frozen=True)
class Verdict:
    """Of one request. `difference` is "" where it passed, `lacking` names what the server has not to be asked for."""

    case: str
    label: str
    request: str
    difference: str = ""
    lacking: str = ""
    reason: str = ""
    """Why a difference is known and stays."""

    @property
    def passed(self) -> bool:
        return not self.difference and not self.lacking

    def line(self) -> str:
        word = "ok  " if self.passed else "----" if self.lacking else "KNOWN" if self.reason else "DIFFERS"
        parts = (self.difference, self.reason, f"nothing to ask for: {self.lacking}" if self.lacking else "")
        rest = "; ".join(part for part in parts if part)
        return f"{word} {self.label}: {self.request}" + (f"\n       {rest}" if rest else "")


def run(
    client: Client, found: Found, known: Mapping[str, str], cases: Iterable[Case] = CASES
) -> list[Verdict]:
    """`known`: case -> why its difference stays."""
    verdicts = [verdict for case in cases for verdict in _verdicts(client, found, case)]
    return [replace(v, reason=known.get(v.case, "")) if v.difference else v for v in verdicts]


def summary(verdicts: list[Verdict]) -> str:
    asked = [verdict for verdict in verdicts if not verdict.lacking]
    passed = sum(verdict.passed for verdict in asked)
    known = sum(bool(verdict.reason) for verdict in asked)
    left = len(verdicts) - len(asked)
    return (
        f"{passed} of {len(asked)} passed, {known} differ as known, {len(asked) - passed - known} differ"
        + (f"; {left} not asked" if left else "")
    )


def _verdicts(client: Client, found: Found, case: Case) -> Iterator[Verdict]:
    for label, path in instances(case):
        lacking = sorted(replace(case, path=path).needs() - set(found))
        if lacking:
            yield Verdict(case.name, label, f"{case.method} {path}", lacking=", ".join(lacking))
        else:
            filled = path.format_map({name: quote(value) for name, value in found.items()})
            difference = _difference(client, case, filled)
            yield Verdict(case.name, label, f"{case.method} {filled}", difference)


def _difference(client: Client, case: Case, path: str) -> str:
    asked = Asked(client, path, case.headers, case.method, case.nobody)
    try:
        answer = asked.again()
        if answer.status != case.status:
            said = " ".join(answer.body[:200].decode(errors="replace").split())
            return f"answers {answer.status} instead of {case.status}: {said}"
        for law in case.laws:
            law(answer, asked)
    except Broken as broken:
        return str(broken)
    except (OSError, HTTPException) as error:
        return f"is no answer: {error!r}"
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # a document of another shape
        return f"is malformed: {error!r}"
    return ""
