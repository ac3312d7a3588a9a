"""Does the model answer what a case expects?"""

from dataclasses import dataclass
from typing import Any

from adapter.hpa.cases.fields import Fields, Malformed
from adapter.hpa.cases.kinds import answer


@dataclass(frozen=True, slots=True)
class Verdict:
    id: str
    differences: tuple[str, ...]
    """Why it failed; empty: it passed."""
    remarks: tuple[str, ...] = ()
    """Fields that had no part in the answer."""


def check(case: object, place: int) -> Verdict:
    """One case of a file, the `place`-th; one that can't be run fails."""
    name = case["id"] if isinstance(case, dict) and isinstance(case.get("id"), str) else f"case {place}"
    try:
        return _check(name, Fields(case, "case"))
    except Malformed as error:
        return Verdict(name, (f"malformed: {error}",))


def _check(name: str, fields: Fields) -> Verdict:
    given, expected = Fields(fields.raw("in"), "in"), fields.raw("expect")
    if not isinstance(expected, dict) or not expected:
        raise Malformed("expect is not an object that says something")
    fields.text("id")
    told = answer(fields.text("kind"), fields.text("version"), given)
    remarks = tuple(f"{path} has no meaning here" for path in given.unread())
    return Verdict(name, tuple(differences(expected, told)), remarks)


def differences(expected: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """One line for each field that isn't as expected."""
    found = []
    for name, value in expected.items():
        if name not in told:
            said = f"error {_shown(told['error'])}" if "error" in told else f"only {', '.join(sorted(told))}"
            found.append(f"{name}: expected {value!r}, the model gives {said}")
        elif not agrees(value, told[name]):
            found.append(f"{name}: expected {value!r}, the model gives {_shown(told[name])}")
    return found


def agrees(expected: Any, told: Any) -> bool:
    """A set holds the words that are all right."""
    if isinstance(told, frozenset):
        return isinstance(expected, str) and expected in told
    return bool(expected == told) and isinstance(expected, bool) == isinstance(told, bool)


def _shown(told: Any) -> str:
    return " or ".join(sorted(told)) if isinstance(told, frozenset) else repr(told)
