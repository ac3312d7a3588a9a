"""What each statement of a scenario says, before anything is looked up. `grammar` says how it is written."""

from dataclasses import dataclass

from adapter.replay.cluster import Nodes
from adapter.replay.scenario.clock import When
from adapter.replay.scenario.expectation import Expectation, Total
from adapter.replay.scenario.shape import Shape


@dataclass(frozen=True, slots=True)
class PolicyOf:
    """In a file, of several the one of that NAMESPACE/NAME; without a file it is written beneath."""

    file: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class HpaOf:
    """In a file, or written beneath."""

    file: str | None = None


@dataclass(frozen=True, slots=True)
class Kubernetes:
    version: str
    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    name: str


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when the scenario runs."""

    since: When
    until: When


@dataclass(frozen=True, slots=True)
class History:
    days: int


@dataclass(frozen=True, slots=True)
class LoadOf:
    signal: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Starting:
    """90 % of pods carry load so soon."""

    within_ms: int


@dataclass(frozen=True, slots=True)
class Carrying:
    """What a pod truly gets through of a signal."""

    amount: float
    signal: str


@dataclass(frozen=True, slots=True)
class Sized:
    cores: float


@dataclass(frozen=True, slots=True)
class NodesOf:
    nodes: Nodes


@dataclass(frozen=True, slots=True)
class Beginning:
    replicas: int


@dataclass(frozen=True, slots=True)
class Other:
    """A load is another one for a time."""

    since: When
    until: When
    signal: str
    value: float


@dataclass(frozen=True, slots=True)
class Failing:
    """What is measured is not known for a time, of one signal or of all (None); the load goes on."""

    since: When
    until: When
    signal: str | None


Statement = (
    PolicyOf
    | HpaOf
    | Kubernetes
    | Zone
    | Span
    | History
    | LoadOf
    | Starting
    | Carrying
    | Sized
    | NodesOf
    | Beginning
    | Other
    | Failing
    | Expectation
    | Total
)
