"""The ScalingPolicy: what one workload measures, forecasts and serves. The same schema in YAML and in a cluster."""

import math
import re
from collections.abc import Set
from datetime import date
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from cme.core.annotations import Annotations
from cme.core.cron import CronWindow
from cme.core.documents import Document
from cme.core.durations import HOUR_MS, Duration, format_duration, parse_duration
from cme.core.identity import SeriesKey, Workload
from cme.core.policy_fields import (
    AUTO,
    LONGEST_LEAD_MS,
    Amount,
    Cron,
    Day,
    Decrease,
    Lead,
    Name,
    Replicas,
    Share,
    SignalName,
    Zone,
)

UTC = "UTC"
LONGEST_RAMP_MS = LONGEST_HOLD_MS = LONGEST_DRAIN_MS = 6 * HOUR_MS
DEFAULT_LEAD_MS = parse_duration("5m")
SOON_MS = parse_duration("2m")
"""The largest load within it is told anew of every sample; of longer leads once a minute."""
LOWEST_QUANTILE, DEFAULT_QUANTILE, HIGHEST_QUANTILE = 0.5, 0.95, 0.999
_DECREASE = re.compile(r"(\d+(?:\.\d+)?)%/(\S+)")


class Metadata(Document):
    name: Name
    namespace: Name = "default"
    annotations: Annotations = Annotations()


class TargetRef(Document):
    """The workload to scale: any kind with a scale subresource."""

    api_version: str = Field(pattern=r"^([a-z0-9.-]+/)?v[0-9][a-z0-9]*$")
    """Group and version of its kind, like apps/v1."""
    kind: str = Field(pattern=r"^[A-Z][A-Za-z0-9]{0,62}$")
    """Its kind, like Deployment."""
    name: Name
    """Its name, in the policy's namespace."""

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]


class Drain(Document):
    """Of a backlog: in which time it is to be emptied, and the signal of the same policy that tells what arrives, in
    items/s."""

    within: Duration
    """The time in which it is to be emptied, at most 6h."""
    arrivals: str
    """The signal of the same policy that tells what arrives, in items/s."""

    @model_validator(mode="after")
    def _fits(self) -> "Drain":
        if not 0 < self.within <= LONGEST_DRAIN_MS:
            raise ValueError(f"within must be above 0 and at most {format_duration(LONGEST_DRAIN_MS)}")
        return self


class Signal(Document):
    """One measured quantity. `source` is a mapping with one key, the kind of the source."""

    name: SignalName
    """qps, bandwidth_in, bandwidth_out, queue_backlog, or another of your own."""
    source: dict[str, Any]
    """Where it is measured: one key, the kind of the source."""
    per_replica: Amount
    """What one replica is meant to carry: the HPA's AverageValue target."""
    saturated_above: Amount | None = None
    """What one replica carries at most: a load of as much per pod is flagged as a lower bound."""
    drain: Drain | None = None
    """It is a backlog, which depends on what runs: its arrivals are forecast, not itself."""

    @model_validator(mode="after")
    def _fits(self) -> "Signal":
        if len(self.source) != 1:
            raise ValueError("source must have exactly one key, the kind of the source")
        return self


class Cost(Document):
    """What one unit of load costs per time, where it is short and where it is provisioned in vain."""

    short: float = Field(gt=0, le=1e9)
    """Of a unit that is missing."""
    over: float = Field(gt=0, le=1e9)
    """Of a unit that is idle."""


class Slo(Document):
    """The share of time in which the load may be more than is provided, like 1%."""

    short: Share
    """The share of time, like 1%."""


Model = Literal["unobserved-components", "ets", "sarimax"]
"""The classical models that may give a second opinion."""


class Forecast(Document):
    """Which quantile of the largest load within the lead time is to be covered: given, or by cost or SLO."""

    quantile: float | None = Field(default=None, ge=LOWEST_QUANTILE, le=HIGHEST_QUANTILE)
    """The quantile itself; .95 when neither it nor cost nor slo is given."""
    cost: Cost | None = None
    """What being short costs, beside what being idle costs: the quantile follows."""
    slo: Slo | None = None
    """How much of the time the load may be short: the quantile follows."""
    lead: Lead = DEFAULT_LEAD_MS
    """How long it takes until a new replica carries load, at most 6h, or auto: it is learnt; 5m by default."""
    models: tuple[Model, ...] = ()
    """Classical models that give second opinions at long leads."""

    @model_validator(mode="after")
    def _fits(self) -> "Forecast":
        if len(set(self.models)) < len(self.models):
            raise ValueError("models must not name one twice")
        if sum(given is not None for given in (self.quantile, self.cost, self.slo)) > 1:
            raise ValueError("give one of quantile, cost and slo")
        if self._wanted > HIGHEST_QUANTILE + 1e-9:
            raise ValueError(
                f"it calls for the quantile {self._wanted:.10g}; the highest that errors can tell is {HIGHEST_QUANTILE}"
            )
        return self

    def lead_ms(self, learnt_ms: float) -> float:
        """The lead that counts: given, or what is learnt (NaN: nothing yet, so that the default counts)."""
        if self.lead != AUTO:
            return float(self.lead)
        return DEFAULT_LEAD_MS if math.isnan(learnt_ms) else min(learnt_ms, LONGEST_LEAD_MS)

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
    """Hold the largest need of `window`, and what is forecast to be needed again within `hold`; fall by at most
    `maxDecrease` (share per period, `10%/1m`)."""

    window: Duration = parse_duration("10m")
    """The largest need within it is served; 10m by default."""
    max_decrease: Decrease = "100%/1m"
    """How much less may be served within a period, like 10%/1m; all by default."""
    hold: Duration = 0
    """What is forecast to be needed again within it is not let go; nothing by default, at most 6h."""

    @model_validator(mode="after")
    def _fits(self) -> "ScaleDown":
        match = _DECREASE.fullmatch(self.max_decrease)
        if match is None or not 0 < float(match[1]) <= 100 or parse_duration(match[2]) == 0:
            raise ValueError(f"maxDecrease {self.max_decrease!r} must be a share per period, like 10%/1m")
        if self.hold > LONGEST_HOLD_MS:
            raise ValueError(f"hold must be at most {format_duration(LONGEST_HOLD_MS)}")
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
    """What the HPA that reads our numbers has: 0.1 unless its behavior says otherwise."""


class ReplicaLimits(Document):
    """The lowest and the highest number of replicas at any time; schedules move between them."""

    min_replicas: Replicas | None = None
    """The lowest."""
    max_replicas: Replicas | None = Field(default=None, ge=1)
    """The highest."""
    quota_share: Share | None = None
    """No more than this share of the namespace's ResourceQuota holds, like 80%."""

    @model_validator(mode="after")
    def _fits(self) -> "ReplicaLimits":
        low, high = self.min_replicas, self.max_replicas
        if low is not None and high is not None and low > high:
            raise ValueError(f"minReplicas {low} is more than maxReplicas {high}")
        return self


class Schedule(Document):
    """Bounds of replicas from each `start`, for `duration` or until `end`, by default in the policy's time zone.

    The floor is reached at the start, and rises to it over `ramp` before.
    """

    name: Name
    """Unique within the policy."""
    start: Cron
    """When it begins to hold, a cron expression of five fields."""
    end: Cron | None = None
    """When it ends, a cron expression; or give duration."""
    duration: Duration | None = None
    """How long it holds from each start; or give end."""
    time_zone: Zone | None = None
    """IANA name of the zone of its times; the policy's by default."""
    skip_holidays: bool = False
    """Whether it does not start on the policy's holidays."""
    ramp: Duration = 0
    """For so long before the start the floor rises to minReplicas."""
    min_replicas: Replicas | None = None
    """The floor while it holds."""
    max_replicas: Replicas | None = None
    """The ceiling while it holds."""

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
    """What is measured, forecast and served of one workload."""

    target_ref: TargetRef
    """The workload to scale: any kind with a scale subresource."""
    time_zone: Zone = UTC
    """IANA name of the zone in which the workload's days begin; UTC by default."""
    holidays: tuple[Day, ...] = Field(default=(), max_length=1_000)
    """Dates there that go like Sundays, and on which schedules that skip them do not start."""
    signals: tuple[Signal, ...] = Field(min_length=1, max_length=16)
    """What is measured: the most demanding decides."""
    forecast: Forecast = Forecast()
    """Which quantile of the largest load within the lead time is to be covered."""
    scale_up: ScaleUp = ScaleUp()
    """What the HPA that reads our numbers does to increases."""
    scale_down: ScaleDown = ScaleDown()
    """How slowly less is served."""
    limits: ReplicaLimits = ReplicaLimits()
    """The lowest and the highest number of replicas at any time."""
    schedules: tuple[Schedule, ...] = Field(default=(), max_length=64)
    """Floors and ceilings of replicas at times."""

    @property
    def rates(self) -> tuple["Signal", ...]:
        """The signals whose past does not depend on what ran: all that are no backlog."""
        return tuple(signal for signal in self.signals if signal.drain is None)

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

    @model_validator(mode="after")
    def _arrivals(self) -> "Spec":
        rates = {signal.name for signal in self.rates}
        for signal in self.signals:
            if signal.drain is not None and signal.drain.arrivals not in rates:
                raise ValueError(
                    f"signal {signal.name!r} has drain.arrivals {signal.drain.arrivals!r}; name another signal of this "
                    "policy, one without a drain of its own"
                )
        return self

    @model_validator(mode="after")
    def _within(self) -> "Spec":
        lowest, highest = self.limits.min_replicas, self.limits.max_replicas
        for one in self.schedules:
            low, high = one.min_replicas, one.max_replicas
            if low is not None and highest is not None and low > highest:
                raise ValueError(
                    f"schedule {one.name!r} has minReplicas {low}, more than limits.maxReplicas {highest}"
                )
            if high is not None and lowest is not None and high < lowest:
                raise ValueError(
                    f"schedule {one.name!r} has maxReplicas {high}, less than limits.minReplicas {lowest}"
                )
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
