"""What a number is about: a workload, a signal of it, and the 64-bit id both have in the log."""

import hashlib
import re
from dataclasses import dataclass, field

UNITS = {"qps": "1/s", "bandwidth_in": "B/s", "bandwidth_out": "B/s", "queue_backlog": "items"}
"""Units of the standard signals; any other signal is a plain number."""

SIGNAL_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

# `qps_predicted` as a signal would collide with the forecast of `qps`.
RESERVED_SUFFIXES = ("_predicted", "_scaling", "_per_replica")
RESERVED_NAMES = ("replicas", "replicas_scaling", "replicas_schedule", "metrics")


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """A Kubernetes object with a scale subresource."""

    namespace: str
    group: str  # API group, "" for core
    kind: str
    name: str

    @property
    def resource(self) -> str:
        """`deployments.apps`, as the HPA names it in a path."""
        return f"{plural_of(self.kind)}.{self.group}" if self.group else plural_of(self.kind)

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{self.namespace}/{kind}/{self.name}"


def plural_of(kind: str) -> str:
    """The resource of a kind, by the rule that Kubernetes itself guesses with (apimachinery, api/meta)."""
    name = kind.lower()
    if name.endswith("s"):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """One measured signal of one workload."""

    workload: Workload
    signal: str
    id: int = field(init=False, repr=False, compare=False)
    """64-bit id: the first eight bytes of BLAKE2b over the text: the same in every process."""

    def __post_init__(self) -> None:
        # Once: it is asked for several times a tick.
        object.__setattr__(self, "id", stable_id(str(self)))

    @property
    def unit(self) -> str:
        return UNITS.get(self.signal, "1")

    def __str__(self) -> str:
        return f"{self.workload}:{self.signal}"


def stable_id(text: str) -> int:
    """Unsigned 64-bit id of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def share_of(text: str, shares: int) -> int:
    """Which of so many shares a name belongs to: the same in every process."""
    return stable_id(text) % shares


def signal_name_problem(name: str) -> str | None:
    """Why `name` can't be a signal, or None if it can."""
    if not SIGNAL_NAME.fullmatch(name):
        return f"{name!r} must be lower-case letters, digits and _, starting with a letter, at most 63 long"
    if name in RESERVED_NAMES or name.endswith(RESERVED_SUFFIXES):
        return f"{name!r} is the name of a metric that tidecast derives"
    return None
