"""Where a server is known to differ from the contract, and why that stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.contract.metrics_api.cases import CASES
from tests.contract.metrics_api.verdicts import Verdict


@dataclass(frozen=True)
class Differences:
    """`reasons`: case -> why."""

    server: str
    reasons: Mapping[str, str]


_EMPTY = "an empty list; the HPA's event then says only that no metrics were returned, ours says which metric and why"
_WINDOW = "test-adapter's own values have none; the HPA takes a minute"

DIFFERENCES = {
    "tidecast": Differences(
        "tidecast",
        {
            "metrics": "served on the port of the page, without TLS, together with the collector's and the predictor's",
        },
    ),
    "aggregator": Differences(
        "tidecast through the aggregator of Kubernetes 1.36, where kube-apiserver answers itself",
        {
            "aggregated/v2beta1": "406: it has dropped the version itself",
            "apis/unknown": "its own 404 is plain text",
            "group/unknown-version": "its own 404 is plain text",
            "openapi/v3": "its merged index says it is plain text",
            "openapi/v3/etag": "its merged index has no tag",
        },
    ),
    "go": Differences(
        "the Go library's test-adapter (custom-metrics-apiserver 1.36)",
        {
            "accept/any-application": "406: the library takes no `application/*`, though JSON is one",
            "aggregated/all": "its document is empty: the library adds no group to it, and lists one dummy metric",
            "aggregated/v2beta1": "406: the library has dropped it; control planes up to 1.29 know nothing newer",
            "apis": "`apiVersion` is missing",
            "apis/slash": "`apiVersion` is missing",
            "apis/unknown": "the body is a list of paths, no Status",
            "external/unknown": _EMPTY,
            "external/unmatched": _EMPTY,
            "external/window": _WINDOW,
            "group/custom/versions": "only v1beta1 is listed, though both are served",
            "malformed/series": "500 without a reason, though the client is at fault",
            "object/window": _WINDOW,
            "pods/api-version": "`/v1`, which is no apiVersion: the library joins an empty group",
            "unknown/pods-metric": _EMPTY,
            "unknown/resource": "500 without a reason: its REST mapper's own error",
            "unmatched/objects": _EMPTY,
            "unmatched/pods": _EMPTY,
        },
    ),
}


def failures(verdicts: Sequence[Verdict], known: Mapping[str, str]) -> list[str]:
    """Lines of what differs without being known to, and of what is known to and does not."""
    seen = {verdict.case for verdict in verdicts if verdict.difference or verdict.lacking}
    outdated = [f"{name} does not differ any more" for name in sorted(set(known) - seen)]
    return [v.line() for v in verdicts if v.difference and not v.reason] + outdated


def as_markdown() -> str:
    """A table for each server."""
    about = {case.name: case.about for case in CASES}
    return "\n\n".join(_table(one, about) for one in DIFFERENCES.values())


def _table(differences: Differences, about: Mapping[str, str]) -> str:
    rows = [
        f"| `{name}` | {about[name]} | {reason} |" for name, reason in sorted(differences.reasons.items())
    ]
    head = ["| request | what it is | why it differs |", "|---|---|---|"]
    return "\n".join([f"### {differences.server}", "", *(head + rows if rows else ["None."])])
