"""Our types from a case's fields. Its times are ages in seconds; ours count from NOW_MS."""

from enum import StrEnum
from typing import TypeVar

from adapter.hpa.cases.fields import Fields, Malformed
from adapter.hpa.controller import Controller
from adapter.hpa.observation import Container, Pod, Sample
from adapter.hpa.spec import Behavior, Policy, PolicyType, Rules, ScaleDown, ScaleUp, Select
from adapter.hpa.state import Recommendation, Recommendations, ScaleEvent, ScaleEvents
from adapter.hpa.tolerance import Tolerances, from_quantity
from cme.core.errors import InvalidInput

NOW_MS = 2_000_000_000_000
CONTAINER = "container"
_NO_TIME_S = 1_000_000_000.0

E = TypeVar("E", bound=StrEnum)


def choice(fields: Fields, name: str, kind: type[E]) -> E:
    value = fields.text(name)
    try:
        return kind(value)
    except ValueError:
        raise Malformed(f"{fields.path}.{name} is none of {', '.join(kind)}: {value!r}") from None


def controller(version: str, given: Fields) -> Controller:
    """From `config` (or the inputs themselves) what they say, else upstream's defaults."""
    gates = {} if given.is_null("gates") else _gates(given.inner("gates"))
    config = given.inner("config") if "config" in given else given
    usual = Controller()
    try:
        return Controller(
            version=version,
            gates=gates,
            tolerance=_one_tolerance(config) if "config" in given else usual.tolerance,
            downscale_stabilization_ms=config.optional(
                "downscale_stabilization_s", config.milliseconds, usual.downscale_stabilization_ms
            ),
            cpu_initialization_ms=config.optional(
                "cpu_initialization_period_s", config.milliseconds, usual.cpu_initialization_ms
            ),
            initial_readiness_ms=config.optional(
                "initial_readiness_delay_s", config.milliseconds, usual.initial_readiness_ms
            ),
            scale_up_limit_factor=config.optional(
                "scale_up_limit_factor", config.number, usual.scale_up_limit_factor
            ),
            scale_up_limit_minimum=config.optional(
                "scale_up_limit_minimum", config.number, usual.scale_up_limit_minimum
            ),
        )
    except InvalidInput as error:
        raise Malformed(str(error)) from None


def _gates(fields: Fields) -> dict[str, bool]:
    return {name: fields.flag(name) for name in fields.names()}


def _one_tolerance(config: Fields) -> float:
    """Of the controller's flag; two of them only come from a behavior."""
    given = config.inner("tolerance")
    down, up = given.number("down"), given.number("up")
    if down != up:
        raise Malformed(f"{given.path} must be one number for both directions")
    return up


def tolerances(fields: Fields, controller: Controller) -> Tolerances:
    given = fields.inner("tolerance")
    return Tolerances(given.number("down"), given.number("up"), controller.two_tolerances)


def pods(fields: Fields, resource: str) -> tuple[tuple[Pod, ...], dict[str, Sample]]:
    """The pods, named by their places, and the samples of those that have one.

    Each has one container that requests `request_m` of the resource; `unknown_pod_metrics_m` adds samples of no pod.
    """
    found: list[Pod] = []
    samples: dict[str, Sample] = {}
    for index, one in enumerate(fields.each("pods")):
        found.append(_pod(str(index), one, resource))
        if (sample := _sample(one)) is not None:
            samples[str(index)] = sample
    unknown: tuple[int, ...] = fields.optional("unknown_pod_metrics_m", fields.integers, ())
    for index, value in enumerate(unknown):
        samples[f"unknown-{index}"] = Sample(value, _ago(_NO_TIME_S))
    return tuple(found), samples


def _pod(name: str, fields: Fields, resource: str) -> Pod:
    requests = {} if fields.is_null("request_m") else {resource: fields.integer("request_m")}
    return Pod(
        name,
        phase=fields.text("phase"),
        ready=None if fields.is_null("ready") else str(fields.flag("ready")),
        deleted=fields.optional("deleted", fields.flag, False),
        start_ms=_start(fields),
        transition_ms=_ago(fields.optional("transition_age_s", fields.number, _NO_TIME_S)),
        containers=(Container(CONTAINER, requests),),
        pod_requests_m=None
        if fields.is_null("pod_request_m")
        else {resource: fields.integer("pod_request_m")},
    )


def _start(fields: Fields) -> int | None:
    """Left out: long ago; null: the pod has no start time."""
    if "start_age_s" not in fields:
        return _ago(_NO_TIME_S)
    return None if fields.is_null("start_age_s") else _ago(fields.number("start_age_s"))


def _sample(fields: Fields) -> Sample | None:
    age = fields.optional("metric_age_s", fields.number, _NO_TIME_S)
    window_ms = fields.optional("metric_window_s", fields.milliseconds, 60_000)
    return None if fields.is_null("metric_m") else Sample(fields.integer("metric_m"), _ago(age), window_ms)


def _ago(age_s: float) -> int:
    return NOW_MS - round(age_s * 1000)


def behavior(fields: Fields) -> Behavior:
    """From `scale_up` and `scale_down`, each of which may be null."""
    up, down = ScaleUp(), ScaleDown()
    return Behavior(
        up=up if fields.is_null("scale_up") else rules(fields.inner("scale_up"), up),
        down=down if fields.is_null("scale_down") else rules(fields.inner("scale_down"), down),
    )


def rules(fields: Fields, usual: Rules) -> Rules:
    """One direction; what is left out or null is as usual."""
    policies = usual.policies if fields.is_null("policies") else tuple(map(_policy, fields.each("policies")))
    return Rules(
        stabilization_s=fields.optional("stabilization_s", fields.integer, usual.stabilization_s),
        select=usual.select if fields.is_null("select") else choice(fields, "select", Select),
        policies=policies,
        tolerance=None if fields.is_null("tolerance") else _tolerance(fields),
    )


def _tolerance(fields: Fields) -> float:
    """A number as it is, or the text of a quantity as in a manifest."""
    is_text = isinstance(fields.raw("tolerance"), str)
    return quantity(fields, "tolerance") if is_text else fields.number("tolerance")


def quantity(fields: Fields, name: str) -> float:
    """A tolerance as it stands in a manifest."""
    try:
        return from_quantity(fields.text(name))
    except InvalidInput as error:
        raise Malformed(f"{fields.path}.{name}: {error}") from None


def _policy(fields: Fields) -> Policy:
    kind = choice(fields, "type", PolicyType)
    return Policy(kind, fields.integer("value"), fields.integer("period_s"))


def recommendations(fields: Fields, name: str = "recommendations") -> Recommendations:
    return tuple(
        Recommendation(one.integer("replicas"), _ago(one.number("age_s"))) for one in fields.each(name)
    )


def events(fields: Fields, name: str) -> ScaleEvents:
    return tuple(
        ScaleEvent(
            one.integer("change"),
            _ago(one.number("age_s")),
            one.optional("outdated", one.flag, False),
        )
        for one in fields.each(name)
    )
