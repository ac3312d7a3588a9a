"""What tidecast and the HPA must be allowed, and whether they are."""

from collections.abc import Iterator, Sequence
from functools import partial

from adapter.api.paths import CUSTOM, VERSIONS
from adapter.doctor.facts import Asked, Facts, Finding, Right, ServiceAccount
from cme.core.errors import TidecastError
from cme.core.identity import plural_of

HPA = ServiceAccount("kube-system", "horizontal-pod-autoscaler")


def rights(asked: Asked) -> Sequence[Right]:
    """All that tidecast asks of the API server, and the HPA of tidecast."""
    return [*_ours(asked), *_of_the_hpa(asked)]


def check_access(facts: Facts) -> Iterator[Finding]:
    """A finding per right that is missing, one for all that are there."""
    if facts.installed is False:
        yield Finding("ok", "access", "not installed yet; its rights are checked once it is")
        return
    missing = [right for right, allowed in facts.rights.items() if allowed is False]
    unknown = [allowed for allowed in facts.rights.values() if isinstance(allowed, TidecastError)]
    for right in missing:
        told = f"{right.refusal()}: {right.purpose}; apply deploy/base anew"
        yield Finding("error", "access", told)
    if unknown:
        yield Finding("warning", "access", f"{len(unknown)} rights are not known: {unknown[0]}")
    elif not missing:
        yield Finding(
            "ok", "access", f"all {len(facts.rights)} rights that tidecast and the HPA need are given"
        )


def _ours(asked: Asked) -> Iterator[Right]:
    registration = asked.registration
    me = ServiceAccount(registration.namespace, registration.service)
    for group, plural in sorted({(p.workload.group, plural_of(p.workload.kind)) for p in asked.policies}):
        yield Right(me, "get", group, f"{plural}/scale", "how many of its replicas run is not known")
        yield Right(me, "list", group, plural, "they can't be selected by their labels")
    for verb in ("list", "watch"):
        yield Right(me, verb, "", "pods", "Pods metrics are refused")
        yield Right(me, verb, "tidecast.dev", "scalingpolicies", "policies of the cluster are not followed")
    yield Right(me, "list", "", "resourcequotas", "what runs is not known of policies with a quotaShare")
    silent = "nobody is told what became of the policies"
    yield Right(me, "patch", "tidecast.dev", "scalingpolicies/status", silent)
    yield Right(me, "create", "", "events", silent)
    trust = "tidecast can't start, for it does not know whom to believe"
    yield Right(me, "get", "", "configmaps", trust, "kube-system", "extension-apiserver-authentication")
    for group, resource in (("authentication", "tokenreviews"), ("authorization", "subjectaccessreviews")):
        nobody = "requests are refused, for nobody says who asks and what they may"
        yield Right(me, "create", f"{group}.k8s.io", resource, nobody)
    services = partial(Right, me, group="apiregistration.k8s.io", resource="apiservices")
    yield services("list", purpose="it can't look who has the metrics groups, and does not register")
    for name in [f"{version}.{group}" for group in registration.groups for version in VERSIONS[group]]:
        for verb in ("create", "patch"):
            yield services(verb, name=name, purpose="it can't register or renew its authority there")


def _of_the_hpa(asked: Asked) -> Iterator[Right]:
    for group in asked.registration.groups:
        for verb in ("get", "list") if group == CUSTOM else ("list",):
            yield Right(HPA, verb, group, "*", "no HPA gets a number of it")
