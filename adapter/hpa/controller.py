"""Which controller decides: its Kubernetes minor, its feature gates and its flags."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cme.core.durations import MINUTE_MS, SECOND_MS
from cme.core.errors import InvalidInput

VERSIONS = ("1.30", "1.33", "1.36", "1.37")
SCALE_TO_ZERO = "HPAScaleToZero"
CONFIGURABLE_TOLERANCE = "HPAConfigurableTolerance"
POD_LEVEL_RESOURCES = "PodLevelResources"

_DEFAULTS: Mapping[str, Mapping[str, bool]] = {
    "1.30": {SCALE_TO_ZERO: False},
    "1.33": {SCALE_TO_ZERO: False, CONFIGURABLE_TOLERANCE: False, POD_LEVEL_RESOURCES: False},
    "1.36": {SCALE_TO_ZERO: False, CONFIGURABLE_TOLERANCE: True, POD_LEVEL_RESOURCES: True},
    "1.37": {SCALE_TO_ZERO: True, CONFIGURABLE_TOLERANCE: True, POD_LEVEL_RESOURCES: True},
}
_LOCKED = {("1.37", CONFIGURABLE_TOLERANCE)}


@dataclass(frozen=True)
class Controller:
    """The kube-controller-manager's version, gates and --horizontal-pod-autoscaler-* flags (the defaults are its own)."""

    version: str = "1.36"
    gates: Mapping[str, bool] = field(default_factory=dict)
    """Feature gates that are not at the version's default."""
    tolerance: float = 0.1
    downscale_stabilization_ms: int = 5 * MINUTE_MS
    cpu_initialization_ms: int = 5 * MINUTE_MS
    initial_readiness_ms: int = 30 * SECOND_MS
    scale_up_limit_factor: float = 2.0
    """Upstream's variable scaleUpLimitFactor; no flag sets it, upstream's tests do."""
    scale_up_limit_minimum: float = 4.0

    wakes_by_condition: bool = field(init=False)
    """From 0 replicas only if the condition ScaledToZero says that the controller itself went there."""
    scales_to_zero: bool = field(init=False)
    """Keeps that condition (the gate HPAScaleToZero; older controllers do without)."""
    two_tolerances: bool = field(init=False)
    """Compares with 1 - down and 1 + up, not |1 - ratio| with one number."""
    own_tolerances: bool = field(init=False)
    """Heeds spec.behavior's tolerances (the gate HPAConfigurableTolerance)."""
    caps: bool = field(init=False)
    """Keeps sums below MaxInt64, and replicas (but not those of an Object's AverageValue) below MaxInt32."""
    demands_container: bool = field(init=False)
    """A pod without the metric's container is an error, not a request of 0."""
    pod_level_requests: bool = field(init=False)
    """Heeds requests made for the pod as a whole (the gate PodLevelResources)."""

    def __post_init__(self) -> None:
        """Work out once what differs between the versions. Raises InvalidInput."""
        gates = _gates(self.version, self.gates)
        minor = int(self.version.split(".")[1])
        traits = {
            "wakes_by_condition": minor >= 36,
            "scales_to_zero": minor >= 36 and gates[SCALE_TO_ZERO],
            "two_tolerances": minor >= 33,
            "own_tolerances": minor >= 33 and gates[CONFIGURABLE_TOLERANCE],
            "caps": minor >= 36,
            "demands_container": minor >= 36,
            "pod_level_requests": minor >= 36 and gates[POD_LEVEL_RESOURCES],
        }
        for name, value in traits.items():
            object.__setattr__(self, name, value)


def _gates(version: str, given: Mapping[str, bool]) -> Mapping[str, bool]:
    if version not in _DEFAULTS:
        raise InvalidInput(f"{version!r} is not modeled", "version", f"choose one of {', '.join(VERSIONS)}")
    known = _DEFAULTS[version]
    for name, value in given.items():
        if name not in known:
            raise InvalidInput(f"Kubernetes {version} has no {name}", "gates", f"it has {', '.join(known)}")
        if (version, name) in _LOCKED and value != known[name]:
            raise InvalidInput(f"{name} is locked to {known[name]}", "gates", "leave it out")
    return {**known, **given}
