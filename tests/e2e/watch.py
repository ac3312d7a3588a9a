"""Watching HPAs at work: until they are where the served numbers put them, or all the way down."""

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.e2e.components.kube import KubeError
from tests.e2e.components.report import note
from tests.e2e.components.waiting import until
from tests.e2e.followed import Followed

TIMEOUT_S = 60
POLL_S = 0.2


class Seen(NamedTuple):
    at_s: float
    value: float
    replicas: int


def reach(title: str, at_least: Mapping[Followed, float]) -> dict[Followed, float]:
    """Wait until each number is at least so large and its HPA has made the ready replicas that it implies.

    Returns the numbers.
    """
    begun, reached = time.monotonic(), dict[Followed, float]()

    def look() -> bool:
        for one in at_least.keys() - reached.keys():
            value = followed_value(one)
            if value is not None and value >= at_least[one]:
                reached[one] = value
                _note(title, one, value, time.monotonic() - begun)
        return len(reached) == len(at_least)

    names = ", ".join(one.name for one in at_least)
    try:
        until(f"{title}: {names} follow what is served", look, TIMEOUT_S, POLL_S)
    except TimeoutError as error:
        for one in at_least.keys() - reached.keys():
            error.add_note(f"{one.name}: {state(one)}")
        raise
    return reached


def followed_value(one: Followed) -> float | None:
    """The served number when the ready replicas are those that it implies before and after the look at them.

    None also while there is no number.
    """
    try:
        before, replicas, after = one.value(), one.settled(), one.value()
    except KubeError:
        return None
    return after if one.implied(before) == replicas == one.implied(after) else None


def state(one: Followed) -> str:
    """For a person who wonders why it does not follow."""
    try:
        value = one.value()
    except KubeError as error:
        return str(error)
    return f"served {value:.6g}, wanted {one.implied(value)}, replicas {one.replicas()}"


def descend(title: str, down_to: Mapping[Followed, float]) -> dict[Followed, list[Seen]]:
    """What is seen from now on until each number is at most so large and its HPA has followed."""
    begun = time.monotonic()
    seen: dict[Followed, list[Seen]] = {one: [] for one in down_to}

    def look() -> bool:
        for one, history in seen.items():
            history.append(Seen(time.monotonic() - begun, one.value(), one.replicas()))
        return all(_is_down(one, history[-1], down_to[one]) for one, history in seen.items())

    names = ", ".join(one.name for one in down_to)
    until(f"{title}: {names} have come down", look, 2 * TIMEOUT_S, POLL_S)
    for one, history in seen.items():
        _note(title, one, history[-1].value, history[-1].at_s)
        path = " ".join(str(replicas) for replicas, _ in itertools.groupby(look.replicas for look in history))
        note(f"{title}: {one.name} replicas {path}; first less after {first_less_s(history):.1f} s")
    return seen


def first_less_s(history: Sequence[Seen]) -> float:
    """When a replica less was wanted for the first time."""
    return next(look.at_s for look in history if look.replicas < history[0].replicas)


def largest_loss(history: Sequence[Seen], within_s: float) -> float:
    """The largest share by which the number fell within so many seconds."""
    pairs = (
        (earlier, later)
        for earlier, later in itertools.combinations(history, 2)
        if later.at_s - earlier.at_s < within_s and earlier.value > 0
    )
    return max((1 - later.value / earlier.value for earlier, later in pairs), default=0.0)


def _is_down(one: Followed, look: Seen, limit: float) -> bool:
    return look.value <= limit and look.replicas == one.implied(look.value) == one.settled()


def _note(title: str, one: Followed, value: float, seconds: float) -> None:
    wanted, reached = one.implied(value), one.replicas()
    note(f"{title}: {one.name} served {value:.6g}, wanted {wanted}, reached {reached}, {seconds:.1f} s")
