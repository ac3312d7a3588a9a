"""What an object's status should say: of what is written, of its data and of its forecasts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cme.core.reasons import Reason, codes, explain
from cme.policies.decided import Decided
from cme.policies.objects import API_VERSION, PolicyObject
from cme.policies.standing import Fate, Standing

READY, FRESH, TRUSTED = CONDITIONS = ("Ready", "DataFresh", "ForecastTrusted")

_NO_DATA = Reason.MISSING | Reason.STALE
_NO_FORECAST = Reason.FORECAST_MISSING | Reason.FORECAST_STALE
_DISTRUST = Reason.UNTRUSTED_LOSS | Reason.UNTRUSTED_OVER | Reason.UNTRUSTED_COVERAGE

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """`status`: None is unknown."""

    type: str
    status: bool | None
    reason: str
    message: str = ""


def conditions(standing: Standing, decided: Decided | None) -> list[Condition]:
    """Ready, DataFresh and ForecastTrusted; without a fresh decision the last two are unknown."""
    ready = Condition(READY, standing.fate is Fate.IN_EFFECT, standing.fate, standing.told)
    if standing.policy is None or decided is None:
        why = (
            ("NotInEffect", "")
            if standing.policy is None
            else ("NotDecided", "no fresh decision of it is known")
        )
        return [ready, Condition(FRESH, None, *why), Condition(TRUSTED, None, *why)]
    return [ready, _fresh(decided), _trusted(decided)]


def _fresh(decided: Decided) -> Condition:
    for reason, word in ((Reason.MISSING, "Missing"), (Reason.STALE, "Stale")):
        if names := _with(reason, decided.signals):
            return Condition(FRESH, False, word, _told(names, reason))
    return Condition(FRESH, True, "Fresh")


def _trusted(decided: Decided) -> Condition:
    measured = {name: reasons for name, reasons in decided.signals.items() if not reasons & _NO_DATA}
    if not measured:
        return Condition(TRUSTED, None, "NoData", "no signal has a fresh value")
    for doubts, word in ((_DISTRUST, "Untrusted"), (_NO_FORECAST, "NoForecast")):
        for reason in Reason(doubts):
            if names := _with(reason, measured):
                return Condition(TRUSTED, False, word, _told(names, reason))
    return Condition(TRUSTED, True, "Trusted")


def _with(reason: Reason, signals: Mapping[str, int]) -> list[str]:
    return [name for name, reasons in signals.items() if reasons & reason]


def _told(names: Sequence[str], reason: Reason) -> str:
    return f"{', '.join(sorted(names))}: {explain(reason)[0]}"


def status(
    standing: Standing, decided: Decided | None, generation: int, before: Json, now_ms: int
) -> dict[str, Any]:
    """The whole status, as JSON; a condition keeps the time at which it took its value `before`."""
    known = {one.get("type"): one for one in before.get("conditions") or ()}
    made: dict[str, Any] = {
        "observedGeneration": generation,
        "conditions": [
            _written(one, known.get(one.type, {}), generation, now_ms)
            for one in conditions(standing, decided)
        ],
        # null removes what is no longer known
        "replicas": None,
        "reasons": None,
        "decidedAt": None,
    }
    if standing.policy is not None and decided is not None:
        served = decided.replicas == decided.replicas  # not NaN
        made |= {
            "replicas": int(decided.replicas) if served else None,
            "reasons": ", ".join(codes(_all(decided))),
            "decidedAt": iso(decided.time_ms),
        }
    return made


def _all(decided: Decided) -> int:
    """Reasons of the workload and of all its signals."""
    reasons = decided.reasons
    for one in decided.signals.values():
        reasons |= one
    return reasons


def _written(condition: Condition, before: Json, generation: int, now_ms: int) -> dict[str, Any]:
    value = {True: "True", False: "False", None: "Unknown"}[condition.status]
    same = before.get("status") == value
    return {
        "type": condition.type,
        "status": value,
        "reason": str(condition.reason),
        "message": condition.message,
        "lastTransitionTime": before["lastTransitionTime"] if same else iso(now_ms),
        "observedGeneration": generation,
    }


@dataclass(frozen=True, slots=True)
class Changes:
    """Conditions that differ from what was told before; `turned` are those of another status."""

    differing: Sequence[Json]
    turned: Sequence[Json]

    def __bool__(self) -> bool:
        return bool(self.differing)

    def events(self, about: PolicyObject, now_ms: int) -> Iterator[Json]:
        """A Kubernetes event (core/v1) for each condition that turned."""
        namespace, _, name = about.key.partition("/")
        for condition in self.turned:
            yield {
                "metadata": {"namespace": namespace, "generateName": f"{name}."},
                "involvedObject": {
                    "apiVersion": API_VERSION,
                    "kind": "ScalingPolicy",
                    "namespace": namespace,
                    "name": name,
                    "uid": about.uid,
                },
                "type": "Normal" if condition["status"] == "True" else "Warning",
                "reason": condition["reason"],
                "message": condition["message"] or f"{condition['type']} is {condition['status']}",
                "source": {"component": "tidecast"},
                "firstTimestamp": iso(now_ms),
                "lastTimestamp": iso(now_ms),
                "count": 1,
            }


def changes(before: Json, after: Json) -> Changes:
    """Between two statuses. What turns false is an event, and what is true again; not what was well from the first."""
    known = {one.get("type"): one for one in before.get("conditions") or ()}
    differing = [one for one in after["conditions"] if known.get(one["type"]) != one]
    steps = [(known.get(one["type"], {}).get("status"), one["status"], one) for one in differing]
    turned = [
        one for was, now, one in steps if was != now and (now == "False" or (was, now) == ("False", "True"))
    ]
    return Changes(differing, turned)


def iso(time_ms: int) -> str:
    """A time as Kubernetes writes it, to the second."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
