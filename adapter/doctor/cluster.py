"""The API server: what it is, whether it aggregates, its clock, and what its HPAs can."""

from collections.abc import Iterator

from adapter.access.trust import NoTrust, Trust
from adapter.autoscaler.manifest import minor_of
from adapter.doctor.facts import Facts, Finding
from cme.core.errors import InvalidInput, TidecastError

NOTICED_S, TOO_MUCH_S = 5, 60
"""Of a difference of clocks: the Date header is whole seconds old at best; a sample may be so old before it is stale."""


def check_cluster(facts: Facts) -> Iterator[Finding]:
    yield _version(facts)
    yield _clock(facts)
    yield _aggregation(facts)
    yield _tolerance(facts)
    yield _zero(facts)


def _version(facts: Facts) -> Finding:
    try:
        minor_of(facts.version)
    except InvalidInput as error:
        return Finding("error", "API server", f"{error.what}; upgrade the cluster")
    return Finding("ok", "API server", f"Kubernetes {facts.version}")


def _clock(facts: Facts) -> Finding:
    if isinstance(facts.ahead_s, TidecastError):
        return Finding("warning", "clock", f"the API server's is not known: {facts.ahead_s}")
    off, way = abs(facts.ahead_s), "ahead of" if facts.ahead_s > 0 else "behind"
    if off <= NOTICED_S:
        return Finding("ok", "clock", f"the API server's is this machine's, within {NOTICED_S} s")
    told = (
        f"the API server's is {off:.0f} s {way} this machine's: certificates and schedules are off by as much"
    )
    return Finding("error" if off > TOO_MUCH_S else "warning", "clock", f"{told}; synchronize both (NTP)")


def _aggregation(facts: Facts) -> Finding:
    if isinstance(facts.trust, TidecastError):
        return Finding("warning", "aggregation", f"whether it is on is not known: {facts.trust}")
    try:
        Trust.of(facts.trust)
    except NoTrust as error:
        return Finding("error", "aggregation", f"no APIService can be reached: {error}")
    return Finding("ok", "aggregation", "on: the API server publishes its front proxy's authority")


def _tolerance(facts: Facts) -> Finding:
    if isinstance(facts.tolerant, TidecastError):
        return Finding("warning", "HPA tolerance", f"whether it can be set is not known: {facts.tolerant}")
    if facts.tolerant:
        return Finding("ok", "HPA tolerance", "an HPA's own is kept: with 0 every decision is followed")
    told = "an HPA's own is dropped: changes of up to 10 % are not followed; it counts from Kubernetes 1.35"
    return Finding("warning", "HPA tolerance", told)


def _zero(facts: Facts) -> Finding:
    if isinstance(facts.scales_to_zero, TidecastError):
        return Finding("warning", "scale to zero", f"whether it is on is not known: {facts.scales_to_zero}")
    if facts.scales_to_zero:
        return Finding("ok", "scale to zero", "on: an HPA may have minReplicas 0")
    return Finding("ok", "scale to zero", "off (gate HPAScaleToZero): an HPA keeps at least one replica")
