"""The ScalingPolicy: what one workload measures, forecasts and serves. The same schema in YAML and in a cluster."""

import re
from collections.abc import Set
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cme.core.cron import CronWindow, cron_problem
from cme.core.documents import Document
from cme.core.durations import Duration, format_duration, parse_duration
from cme.core.identity import SeriesKey, Workload, signal_name_problem
from cme.core.quantity import format_quantity, parse_quantity

UTC = "UTC"
LONGEST_LEAD_MS = LONGEST_RAMP_MS = 6 * 3_600_000
LOWEST_QUANTILE, DEFAULT_QUANTILE, HIGHEST_QUANTILE = 0.5, 0.95, 0.999
_DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_DECREASE = re.compile(r"(\d+(?:\.\d+)?)%/(\S+)")


def _checked(problem: str | None, value: Any) -> Any:
    if problem:
        raise ValueError(problem)
    return value


def _dns_name(value: str) -> str:
    bad = None if _DNS_NAME.fullmatch(value) else f"{value!r} is not a Kubernetes name (a-z, 0-9, - and .)"
    return str(_checked(bad, value))


_zones = cache(available_timezones)  # which looks through a thousand files


def _zone(value: str) -> str:
    known = value in _zones()
    return str(_checked(None if known else f"{value!r} is no IANA time zone, like Europe/Berlin", value))


def _day(value: object) -> object:
    """Only what is written as a date: pydantic would read a number as seconds since 1970."""
    written = isinstance(value, date) or (isinstance(value, str) and _DATE.fullmatch(value))
    return _checked(None if written else f"{value!r} is not a date, like 2026-12-25", value)


def _amount(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not a quantity")
    milli = parse_quantity(str(value))
    return float(_checked(None if milli > 0 else "must be more than 0", milli)) / 1000


Zone = Annotated[str, AfterValidator(_zone)]
Day = Annotated[date, BeforeValidator(_day)]
Cron = Annotated[str, AfterValidator(lambda v: _checked(cron_problem(v), v))]
Replicas = Annotated[int, Field(ge=0, le=2**31 - 1)]
Name = Annotated[str, AfterValidator(_dns_name)]
Amount = Annotated[
    float,
    BeforeValidator(_amount),
    PlainSerializer(lambda v: format_quantity(round(v * 1000)), return_type=str),
]
"""A positive Kubernetes quantity (`120`, `1500m`, `20k`), a float in the program."""


def _share(value: object) -> float:
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    bad = (
        None
        if match and 0 < float(match[1]) < 100
        else f"{value!r} must be a share between 0% and 100%, like 1%"
    )
    return float(_checked(bad, match and match[1])) / 100


Share = Annotated[
    float, BeforeValidator(_share), PlainSerializer(lambda v: f"{v * 100:.10g}%", return_type=str)
]
"""A percentage (`1%`), a fraction of 1 in the program."""


class Metadata(Document):
    name: Name
    namespace: Name = "default"


class TargetRef(Document):
    """The workload to scale: any kind with a scale subresource."""

    api_version: str = Field(pattern=r"^([a-z0-9.-]+/)?v[0-9][a-z0-9]*$")
    kind: str = Field(pattern=r"^[A-Z][A-Za-z0-9]{0,62}$")
    name: Name

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]


class Signal(Document):
    """One measured quantity. `source` is a mapping with one key, the kind of the source."""

    name: str
    source: dict[str, Any]
    per_replica: Amount
    saturated_above: Amount | None = None
    """What one replica carries at most: a load of as much per pod is flagged as a lower bound."""

    @model_validator(mode="after")
    def _fits(self) -> "Signal":
        _checked(signal_name_problem(self.name), self.name)
        if len(self.source) != 1:
            raise ValueError("source must have exactly one key, the kind of the source")
        return self


class Cost(Document):
    """What one unit of load costs per time, where it is short and where it is provisioned in vain."""

    short: float = Field(gt=0, le=1e9)
    over: float = Field(gt=0, le=1e9)


class Slo(Document):
    """The share of time in which the load may be more than is provided, like 1%."""

    short: Share


Model = Literal["unobserved-components", "ets", "sarimax"]
"""The classical models that may give a second opinion."""


class Forecast(Document):
    """Which quantile of the largest load within the lead time is to be covered: given, or by cost or SLO."""

    quantile: float | None = Field(default=None, ge=LOWEST_QUANTILE, le=HIGHEST_QUANTILE)
    cost: Cost | None = None
    slo: Slo | None = None
    lead: Duration = parse_duration("5m")
    models: tuple[Model, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> "Forecast":
        if len(set(self.models)) < len(self.models):
            raise ValueError("models must not name one twice")
        if not 0 < self.lead <= LONGEST_LEAD_MS:
            raise ValueError(f"lead must be above 0 and at most {format_duration(LONGEST_LEAD_MS)}")
        if sum(given is not None for given in (self.quantile, self.cost, self.slo)) > 1:
            raise ValueError("give one of quantile, cost and slo")
        if self._wanted > HIGHEST_QUANTILE + 1e-9:
            raise ValueError(
                f"it calls for the quantile {self._wanted:.10g}; the highest that errors can tell is {HIGHEST_QUANTILE}"
            )
        return self

    @property
    def covered(self) -> float:
        """The quantile to serve.

        Of a cost it is the critical ratio short / (short + over) of the newsvendor problem (Arrow, Harris and
        Marschak 1951): there one more unit saves as much as it costs. An SLO's holds a fortiori, for a load that
        stays below the largest of its lead time is not short at any moment of it.
        """
        return max(self._wanted, LOWEST_QUANTILE)

    @property
    def _wanted(self) -> float:
        if self.cost is not None:
            return self.cost.short / (self.cost.short + self.cost.over)
        if self.slo is not None:
            return 1 - self.slo.short
        return self.quantile or DEFAULT_QUANTILE


class ScaleDown(Document):
    """Hold the largest need of `window`, then fall by at most `maxDecrease` (share per period, `10%/1m`)."""

    window: Duration = parse_duration("10m")
    max_decrease: str = "100%/1m"

    @model_validator(mode="after")
    def _fits(self) -> "ScaleDown":
        match = _DECREASE.fullmatch(self.max_decrease)
        if match is None or not 0 < float(match[1]) <= 100 or parse_duration(match[2]) == 0:
            raise ValueError(f"maxDecrease {self.max_decrease!r} must be a share per period, like 10%/1m")
        return self

    @property
    def share(self) -> float:
        return float(self.max_decrease.split("%")[0]) / 100

    @property
    def period_ms(self) -> int:
        return parse_duration(self.max_decrease.split("/")[1])


class ScaleUp(Document):
    """The HPA ignores ratios of up to 1 + `tolerance`: its `behavior.scaleUp.tolerance`, or else the cluster's."""

    tolerance: float = Field(default=0.1, ge=0, le=1)


class Schedule(Document):
    """Bounds of replicas from each `start`, for `duration` or until `end`, by default in the policy's time zone.

    The floor is reached at the start, and rises to it over `ramp` before.
    """

    name: Name
    start: Cron
    end: Cron | None = None
    duration: Duration | None = None
    time_zone: Zone | None = None
    skip_holidays: bool = False
    ramp: Duration = 0
    min_replicas: Replicas | None = None
    max_replicas: Replicas | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Schedule":
        low, high = self.min_replicas, self.max_replicas
        if low is None and high is None:
            raise ValueError("a schedule needs minReplicas, maxReplicas or both")
        if low is not None and high is not None and low > high:
            raise ValueError(f"minReplicas {low} is more than maxReplicas {high}")
        if (self.end is None) == (self.duration is None):
            raise ValueError("give either duration or end")
        if self.duration == 0:
            raise ValueError("duration must be above 0")
        if self.ramp and not low:
            raise ValueError("a ramp needs minReplicas to rise to")
        if self.ramp > LONGEST_RAMP_MS:
            raise ValueError(f"ramp must be at most {format_duration(LONGEST_RAMP_MS)}")
        return self

    def window(self, holidays: Set[date]) -> CronWindow:
        """When it holds, in a policy with these holidays."""
        off = holidays if self.skip_holidays else frozenset[date]()
        return CronWindow(self.start, self.end, self.duration, self.time_zone or UTC, off)


class Spec(Document):
    """`time_zone` is where the workload's days begin, `holidays` are dates there that go like Sundays,
    and on which schedules that skip them do not start."""

    target_ref: TargetRef
    time_zone: Zone = UTC
    holidays: tuple[Day, ...] = Field(default=(), max_length=1_000)
    signals: tuple[Signal, ...] = Field(min_length=1, max_length=16)
    forecast: Forecast = Forecast()
    scale_up: ScaleUp = ScaleUp()
    scale_down: ScaleDown = ScaleDown()
    schedules: tuple[Schedule, ...] = ()

    @field_validator("schedules")
    @classmethod
    def _local(cls, schedules: tuple[Schedule, ...], info: ValidationInfo) -> tuple[Schedule, ...]:
        zone = info.data.get("time_zone", UTC)
        return tuple(s if s.time_zone else s.model_copy(update={"time_zone": zone}) for s in schedules)

    @model_validator(mode="after")
    def _unique(self) -> "Spec":
        for what, names in (
            ("signal", [s.name for s in self.signals]),
            ("schedule", [s.name for s in self.schedules]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what}s have the same name; names must be unique within a policy")
        return self


class ScalingPolicy(Document):
    api_version: Literal["tidecast.dev/v1alpha1"]
    kind: Literal["ScalingPolicy"]
    metadata: Metadata
    spec: Spec

    @property
    def key(self) -> str:
        """By which a record of it replaces the one before."""
        return f"{self.metadata.namespace}/{self.metadata.name}"

    @property
    def workload(self) -> Workload:
        ref = self.spec.target_ref
        return Workload(self.metadata.namespace, ref.group, ref.kind, ref.name)

    def series(self, signal: Signal) -> SeriesKey:
        return SeriesKey(self.workload, signal.name)
