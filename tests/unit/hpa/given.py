"""Short ways to say what a test of the HPA starts from."""

from typing import Any

from adapter.hpa.calculator import Calculator
from adapter.hpa.controller import Controller
from adapter.hpa.observation import Container, Observation, Pod, Reading, Sample, Scale, Values
from adapter.hpa.spec import Metric, MetricType, Target, TargetType
from adapter.hpa.tolerance import Tolerances

NOW_MS = 1_800_000_000_000
EXTERNAL = Metric(MetricType.EXTERNAL, Target(TargetType.AVERAGE_VALUE, 1000))
"""One replica per 1000 thousandths, as for tidecast's own `replicas_scaling`."""


def pod(name: str, request_m: int | None = None, **fields: Any) -> Pod:
    """A pod that has been ready for long."""
    requests = {} if request_m is None else {"cpu": request_m, "memory": request_m}
    return Pod(name, containers=(Container("main", requests),), **fields)


def pods(count: int, request_m: int | None = None) -> tuple[Pod, ...]:
    return tuple(pod(f"pod-{number}", request_m) for number in range(count))


def samples(*values_m: int | None) -> dict[str, Sample]:
    """For pod-0, pod-1, ...; None: no sample."""
    return {
        f"pod-{number}": Sample(value, NOW_MS) for number, value in enumerate(values_m) if value is not None
    }


def calculator(seen: tuple[Pod, ...], version: str = "1.36", tolerance: float = 0.1) -> Calculator:
    controller = Controller(version)
    return Calculator(controller, Tolerances(tolerance, tolerance, controller.two_tolerances), seen, NOW_MS)


def wants(replicas: int, current: int, status: int | None = None) -> Observation:
    """An observation in which EXTERNAL calls for so many replicas."""
    return seen(current, Values((replicas * 1000,)), status=status)


def seen(current: int, *readings: Reading, status: int | None = None) -> Observation:
    return Observation(Scale(current, current if status is None else status), readings)
