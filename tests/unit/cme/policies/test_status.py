"""What an object's status says, and which changes of it are events."""

from dataclasses import replace
from typing import Any

import pytest

from cme.core.reasons import Reason
from cme.policies.decided import Decided
from cme.policies.objects import PolicyObject
from cme.policies.standing import Fate, Origin, Standing
from cme.policies.status import changes, conditions, iso, status
from tests.unit.cme.policies.written import policy, raw

NOW = 1_795_000_000_000
VALID = Standing.valid(policy("web"), Origin.CLUSTER)
KEPT = replace(VALID, fate=Fate.INVALID, problem="spec.timeZone: 'Mars' is no IANA time zone")
REFUSED = Standing("shop/web", Origin.CLUSTER, None, Fate.CONFLICT, "policy shop/a scales it already")


def decided(reasons: Reason = Reason.RAW, replicas: float = 7.0, **signals: Reason) -> Decided:
    return Decided(
        NOW - 4_000,
        replicas,
        int(reasons),
        {name: int(r) for name, r in (signals or {"qps": reasons}).items()},
    )


def told(standing: Standing, of: Decided | None) -> dict[str, tuple[bool | None, str]]:
    return {one.type: (one.status, one.reason) for one in conditions(standing, of)}


def test_all_is_well() -> None:
    assert told(VALID, decided()) == {
        "Ready": (True, "InEffect"),
        "DataFresh": (True, "Fresh"),
        "ForecastTrusted": (True, "Trusted"),
    }


@pytest.mark.parametrize(
    ("reasons", "fresh", "trusted"),
    [
        (Reason.MISSING, (False, "Missing"), (None, "NoData")),
        (Reason.STALE, (False, "Stale"), (None, "NoData")),
        (Reason.RAW | Reason.FORECAST_STALE, (True, "Fresh"), (False, "NoForecast")),
        (Reason.RAW | Reason.FORECAST_MISSING, (True, "Fresh"), (False, "NoForecast")),
        (Reason.RAW | Reason.UNTRUSTED_COVERAGE, (True, "Fresh"), (False, "Untrusted")),
        (Reason.FORECAST | Reason.HELD | Reason.UNCALIBRATED, (True, "Fresh"), (True, "Trusted")),
    ],
)
def test_what_a_decision_says_of_data_and_forecast(
    reasons: Reason, fresh: tuple[bool | None, str], trusted: tuple[bool | None, str]
) -> None:
    found = told(VALID, decided(reasons))
    assert (found["DataFresh"], found["ForecastTrusted"]) == (fresh, trusted)


def test_the_signals_are_named() -> None:
    found = decided(qps=Reason.RAW | Reason.UNTRUSTED_LOSS, backlog=Reason.MISSING, bytes=Reason.MISSING)
    _, fresh, trusted = conditions(VALID, found)
    assert fresh.message == "backlog, bytes: the signal has no value"
    assert trusted.message.startswith("qps: the forecast is not trusted: over a day its loss")


def test_without_a_decision_nothing_is_known_of_data() -> None:
    assert told(VALID, None) == {
        "Ready": (True, "InEffect"),
        "DataFresh": (None, "NotDecided"),
        "ForecastTrusted": (None, "NotDecided"),
    }
    assert told(REFUSED, decided())["DataFresh"] == (None, "NotInEffect")


def test_what_is_kept_in_effect_is_not_ready_but_served() -> None:
    made = status(KEPT, decided(), 4, {}, NOW)
    assert (made["observedGeneration"], made["replicas"], made["decidedAt"]) == (4, 7, iso(NOW - 4_000))
    ready = made["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("False", "Invalid")
    assert ready["message"] == f"{KEPT.problem}; what was valid before stays in effect"


def test_a_number_that_is_not_served_is_removed() -> None:
    made = status(VALID, decided(Reason.MISSING, float("nan")), 1, {"replicas": 7}, NOW)
    assert made["replicas"] is None
    assert made["reasons"] == "missing"
    assert status(REFUSED, decided(), 1, {}, NOW)["replicas"] is None


def test_a_condition_keeps_its_time_while_it_stays() -> None:
    first = status(VALID, decided(), 1, {}, NOW)
    later = status(VALID, decided(Reason.MISSING), 2, first, NOW + 60_000)
    times = {one["type"]: one["lastTransitionTime"] for one in later["conditions"]}
    assert times == {"Ready": iso(NOW), "DataFresh": iso(NOW + 60_000), "ForecastTrusted": iso(NOW + 60_000)}


def turned(before: Decided | None, after: Decided | None, start: dict[str, Any] | None = None) -> list[str]:
    was = status(VALID, before, 1, {}, NOW) if start is None else start
    return [one["type"] for one in changes(was, status(VALID, after, 1, was, NOW)).turned]


def test_what_turns_false_or_true_again_is_an_event() -> None:
    well, ill = decided(), decided(Reason.MISSING)
    assert turned(well, ill) == ["DataFresh"]
    assert turned(ill, well) == ["DataFresh"]
    assert turned(None, ill) == ["DataFresh"]
    assert turned(well, None) == turned(None, well) == turned(well, well) == []
    assert turned(None, well, start={}) == []


def test_a_change_of_words_alone_is_told_without_an_event() -> None:
    first = status(VALID, decided(Reason.MISSING), 1, {}, NOW)
    found = changes(first, status(VALID, decided(Reason.STALE), 1, first, NOW))
    assert found
    assert found.turned == []
    assert not changes(first, first)


def test_an_event_is_about_the_object() -> None:
    found = changes(status(VALID, decided(), 1, {}, NOW), status(KEPT, decided(), 2, {}, NOW))
    (event,) = found.events(PolicyObject.of(raw("web")), NOW)
    assert (event["type"], event["reason"]) == ("Warning", "Invalid")
    assert event["message"].startswith("spec.timeZone")
    assert event["involvedObject"]["uid"] == "uid-web"
    assert event["metadata"] == {"namespace": "shop", "generateName": "web."}
