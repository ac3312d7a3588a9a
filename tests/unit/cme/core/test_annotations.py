"""What people ask of a policy for a time, as they write it."""

from typing import Any

import pytest

from cme.core.annotations import Annotations, Pin
from cme.core.documents import parse_document
from cme.core.errors import InvalidInput

UNTIL_MS = 1_795_939_200_000  # 2026-11-29T08:00:00Z


def parsed(**given: Any) -> Annotations:
    """Annotations whose names have _ for -, and no prefix."""
    named = {f"tidecast.dev/{name.replace('_', '-')}": value for name, value in given.items()}
    return parse_document(Annotations, named, "policy")


def test_without_any_nothing_is_asked() -> None:
    asked = parsed()
    assert (asked.pause, asked.force_raw, asked.pin) == (False, False, None)


def test_each_is_read_and_written_back() -> None:
    asked = parsed(pause="true", force_raw="true", pin="40 until 2026-11-29T08:00:00Z")
    assert (asked.pause, asked.force_raw, asked.pin) == (True, True, Pin(40, UNTIL_MS))
    written = asked.model_dump(mode="json", by_alias=True)
    assert written == {
        "tidecast.dev/pause": "true",
        "tidecast.dev/force-raw": "true",
        "tidecast.dev/pin": "40 until 2026-11-29T08:00:00+00:00",
    }
    assert parse_document(Annotations, written, "again") == asked
    nothing = parsed()
    assert parse_document(Annotations, nothing.model_dump(mode="json", by_alias=True), "again") == nothing


def test_a_time_may_have_another_zone() -> None:
    assert parsed(pin="0 until 2026-11-29T09:00:00+01:00").pin == Pin(0, UNTIL_MS)


def test_those_of_others_are_left_alone() -> None:
    others = {"pause": "yes", "kubectl.kubernetes.io/last-applied-configuration": "{}", "note": 5, "pin": "x"}
    assert parse_document(Annotations, others, "policy") == Annotations()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("pause", "yes", "tidecast.dev/pause: 'yes' is neither 'true' nor 'false', in quotes"),
        ("pause", True, "tidecast.dev/pause: True is neither"),
        ("force_raw", "", "tidecast.dev/force-raw: '' is neither"),
        ("pin", "40", "tidecast.dev/pin: '40' is not a number of replicas and a time, like '40 until 2026-"),
        ("pin", 40, "tidecast.dev/pin: 40 is not a number of replicas and a time"),
        ("pin", "-1 until 2026-11-29T08:00:00Z", "is not a number of replicas and a time"),
        ("pin", "40 until tomorrow", "tidecast.dev/pin: 'tomorrow' is not a time; write it like"),
        ("pin", "40 until 2026-11-29T08:00:00", "'2026-11-29T08:00:00' has no time zone"),
        ("pin", "40 until 2026-11-29", "'2026-11-29' has no time zone"),
        ("paws", "true", "there is no annotation tidecast.dev/paws; there are tidecast.dev/pause"),
    ],
)
def test_one_of_ours_that_is_malformed_is_refused_by_name(name: str, value: Any, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(**{name: value})
    assert told in str(caught.value)
