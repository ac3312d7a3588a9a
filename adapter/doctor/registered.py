"""The metrics groups: whose they are, whether the aggregator reaches us, and by which authorities."""

from collections.abc import Iterator
from datetime import timedelta

from cryptography import x509

from adapter.api.own_certificate import signed
from adapter.api.paths import VERSIONS
from adapter.doctor.facts import Facts, Finding
from adapter.registration.rule import ApiService, Plan
from cme.core.errors import TidecastError

SOON = timedelta(days=14)
"""The program's own certificate is renewed long before."""


def check_registration(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.plan, TidecastError):
        yield Finding("error", "groups", f"whose they are is not known: {facts.plan}")
        return
    yield from _groups(facts.plan, facts.installed is True)
    for one in facts.plan.ours:
        yield _available(one)
        yield from _authorities(one, facts)
        if one.available:  # else there is no more to say
            yield _answered(one, facts.discovery[one.name])
    if facts.plan.ours and facts.certificate:
        yield _expiry("certificate", "the certificate that is served", facts.certificate, facts)


def _groups(plan: Plan, installed: bool) -> Iterator[Finding]:
    yield from (Finding("error", "groups", refusal) for refusal in plan.refusals)
    for group, state in plan.states.items():
        if state == "free" and installed:
            told = f"{group} is free and not registered; `tidecast up` does it, and its log says why not"
            yield Finding("warning", "groups", told)
        elif state == "free":
            yield Finding("ok", "groups", f"{group} is free")
        elif state == "ours":
            yield _complete(group, plan)
    for one in plan.ours:
        if one.group not in plan.states:
            told = f"{one.name} leads here though registration.groups lacks its group; add it, or delete the APIService"
            yield Finding("warning", "groups", told)


def _complete(group: str, plan: Plan) -> Finding:
    there = {one.version for one in plan.ours if one.group == group}
    if missing := [version for version in VERSIONS[group] if version not in there]:
        return Finding("warning", "groups", f"{group} is ours, but {', '.join(missing)} is not registered")
    return Finding("ok", "groups", f"{group} is ours")


def _available(one: ApiService) -> Finding:
    if one.available:
        return Finding("ok", "available", one.name)
    told = (
        f"the aggregator says {one.reason}: {one.message}"
        if one.reason
        else "the aggregator has not looked yet"
    )
    remedy = "is the pod ready, and does the API server reach it?"
    return Finding(
        "error", "available", f"{one.name} is not, so no HPA gets a number of it: {told}; {remedy}"
    )


def _authorities(one: ApiService, facts: Facts) -> Iterator[Finding]:
    try:
        known = x509.load_pem_x509_certificates(one.authorities.encode())
    except ValueError:
        told = f"{one.name} has none, so the system's authorities count; {_anew(one)}"
        yield Finding("error", "caBundle", told)
        return
    served = facts.certificate
    if served and not any(signed(served, authority) for authority in known):
        told = f"{one.name}: none of its authorities signed the certificate that is served, so every request is refused"
        yield Finding("error", "caBundle", f"{told}; {_anew(one)}")
    else:
        last = max(known, key=lambda authority: authority.not_valid_after_utc)
        yield _expiry("caBundle", f"the authority in {one.name}", last, facts)


def _anew(one: ApiService) -> str:
    """Whoever set a field owns it, and is not overwritten."""
    return f"delete it (kubectl delete apiservice {one.name}), and tidecast makes it anew within a minute"


def _answered(one: ApiService, answered: bool | TidecastError) -> Finding:
    if answered is not True:
        cause = answered or "what comes is no APIResourceList"
        told = f"{one.name} is not answered through the aggregator: {cause}"
        return Finding("error", "discovery", f"{told}; a wrong caBundle, name or port shows like this")
    return Finding("ok", "discovery", f"{one.name} is answered through the aggregator")


def _expiry(check: str, what: str, certificate: x509.Certificate, facts: Facts) -> Finding:
    end = certificate.not_valid_after_utc
    until = f"{what} is valid until {end:%Y-%m-%d %H:%M} UTC"
    if end <= facts.now:
        return Finding("error", check, f"{until}, which is over: every request is refused; renew it")
    if end - facts.now < SOON:
        return Finding("warning", check, f"{until}, soon; why was it not renewed?")
    return Finding("ok", check, until)
