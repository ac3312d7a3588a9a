"""The requests of the contract, and what the answer to each must be."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter

from tests.contract.metrics_api import laws
from tests.contract.metrics_api.laws import SERVED, Law

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
V2, V2BETA1 = AGGREGATED.format("v2"), AGGREGATED.format("v2beta1")
ABSENT = "tidecast.test%2Fabsent"
"""A label key that nothing has."""


@dataclass(frozen=True)
class Case:
    """`path` may hold placeholders: {version} is each served one of the custom group, {group_version} of both
    groups; the others are of `found`, and without them the case is not asked."""

    name: str
    about: str
    path: str
    laws: tuple[Law, ...] = ()
    status: int = 200
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    nobody: bool = False
    """Asked without any identity."""

    def needs(self) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(self.path) if name}


def _refusal(
    name: str,
    about: str,
    path: str,
    status: int,
    *more: Law,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    nobody: bool = False,
) -> Case:
    checks = (laws.is_status, *more, laws.message_stays)
    return Case(name, about, path, checks, status, method, headers or {}, nobody)


P = "/apis/custom.metrics.k8s.io/{version}"
E = "/apis/external.metrics.k8s.io/v1beta1"
OBJECT = P + "/namespaces/{object_ns}/{object_resource}/{object}/{object_metric}"
OBJECTS = P + "/namespaces/{object_ns}/{object_resource}/*/{object_metric}"
PODS = P + "/namespaces/{pods_ns}/pods/*/{pods_metric}"
POD = P + "/namespaces/{pods_ns}/pods/{pod}/{pods_metric}"
NAMESPACE = P + "/namespaces/{described_ns}/metrics/{ns_metric}"
ROOT = P + "/{root_resource}/{root}/{root_metric}"
ROOTS = P + "/{root_resource}/*/{root_metric}"
EXTERNAL = E + "/namespaces/{external_ns}/{external_metric}"

LIST = (laws.metric_list, laws.described, laws.each_once_in_order)
ONE = (*LIST, laws.one_item)
SUMMED = (laws.metric_list,)

DISCOVERY = (
    Case("apis", "the groups", "/apis", (laws.lists_groups,)),
    Case("apis/slash", "a slash at the end changes nothing", "/apis/", (laws.lists_groups,)),
    Case("group/custom", "the custom group", "/apis/custom.metrics.k8s.io", (laws.is_group,)),
    Case(
        "group/custom/versions",
        "it names all its versions, v1beta2 preferred",
        "/apis/custom.metrics.k8s.io",
        (laws.is_group, laws.lists_all_versions),
    ),
    Case(
        "group/external",
        "the external group",
        "/apis/external.metrics.k8s.io",
        (laws.is_group, laws.lists_all_versions),
    ),
    Case(
        "group/slash",
        "a slash at the end changes nothing",
        "/apis/external.metrics.k8s.io/",
        (laws.is_group,),
    ),
    Case(
        "resources",
        "what a version serves; the availability probe",
        "/apis/{group_version}",
        (laws.lists_resources,),
    ),
    Case(
        "resources/slash",
        "a slash at the end changes nothing",
        "/apis/{group_version}/",
        (laws.lists_resources,),
    ),
    Case(
        "resources/json",
        "the aggregator's fallback",
        "/apis/{group_version}",
        (laws.lists_resources,),
        headers={"Accept": "application/json"},
    ),
    Case("aggregated/v2", "all in one document", "/apis", (laws.is_aggregated,), headers={"Accept": V2}),
    Case(
        "aggregated/v2beta1",
        "in the older version",
        "/apis",
        (laws.is_aggregated,),
        headers={"Accept": V2BETA1},
    ),
    Case(
        "aggregated/manager",
        "as the discovery manager asks",
        "/apis",
        (laws.is_aggregated,),
        headers={"Accept": f"{V2},{V2BETA1}"},
    ),
    Case(
        "aggregated/kubectl",
        "as kubectl asks",
        "/apis",
        (laws.is_aggregated,),
        headers={"Accept": f"{V2},{V2BETA1},application/json"},
    ),
    Case(
        "aggregated/all",
        "it agrees with the plain lists",
        "/apis",
        (laws.is_aggregated, laws.aggregates_all),
        headers={"Accept": V2},
    ),
    Case(
        "aggregated/etag", "304 while nothing changes", "/apis", (laws.revalidates,), headers={"Accept": V2}
    ),
    Case(
        "openapi/v2",
        "OpenAPI v2",
        "/openapi/v2",
        (laws.is_openapi_v2,),
        headers={"Accept": "application/json"},
    ),
    Case(
        "openapi/v2/etag",
        "304 while nothing changes",
        "/openapi/v2",
        (laws.revalidates,),
        headers={"Accept": "application/json"},
    ),
    Case("openapi/v3", "the index of OpenAPI v3", "/openapi/v3", (laws.indexes_openapi_v3,)),
    Case("openapi/v3/etag", "304 while nothing changes", "/openapi/v3", (laws.revalidates,)),
    Case(
        "openapi/v3/document",
        "OpenAPI v3 of a version",
        "/openapi/v3/apis/{group_version}",
        (laws.is_openapi_v3,),
        headers={"Accept": "application/json"},
    ),
    Case(
        "openapi/v3/document/etag",
        "304 while nothing changes",
        "/openapi/v3/apis/{group_version}",
        (laws.revalidates,),
        headers={"Accept": "application/json"},
    ),
    Case("metrics", "metrics of the adapter itself", "/metrics", (laws.is_exposition,)),
    Case("version", "the version", "/version", (laws.is_version,)),
    *(
        Case(f"health/{name}", "open to everybody", f"/{name}", (laws.is_ok_text,), nobody=True)
        for name in ("healthz", "livez", "readyz")
    ),
    _refusal("apis/unknown", "an unknown group", "/apis/unknown.example.com", 404),
    _refusal("group/unknown-version", "an unknown version", "/apis/custom.metrics.k8s.io/v9", 404),
)

CUSTOM = (
    Case("object", "an object's metric, as the HPA asks", OBJECT + "?metricLabelSelector=", ONE),
    Case("object/bare", "without a query", OBJECT, ONE),
    Case(
        "object/selector", "labelSelector means nothing for a name", OBJECT + "?labelSelector=foo%3Dbar", ONE
    ),
    Case("object/window", "over which time it was averaged", OBJECT, (laws.has_windows,)),
    Case(
        "object/singular",
        "a kind's name in the singular",
        OBJECT.replace("{object_resource}", "{object_singular}"),
        ONE,
    ),
    Case("object/plural", "without its group", OBJECT.replace("{object_resource}", "{object_plural}"), ONE),
    Case("object/all", "`*` is all of a kind", OBJECTS, (*LIST, laws.each_alone)),
    Case(
        "object/all/selector",
        "a selector that all objects fulfil",
        f"{OBJECTS}?labelSelector=!{ABSENT}",
        (*LIST, laws.same_as_without_query),
    ),
    Case(
        "object/all/selector/one",
        "a selector that one object fulfils",
        f"{OBJECTS}?labelSelector={{object_label}}",
        (*LIST, laws.is_alone_in, laws.each_alone),
    ),
    Case(
        "object/series",
        "the metric's selector is told as it was asked, as a LabelSelector",
        f"{OBJECT}?metricLabelSelector=!{ABSENT}",
        (*ONE, laws.tells_what_is_absent),
    ),
    Case(
        "object/series/none", "no selector of the metric, none told", OBJECT, (*ONE, laws.tells_no_selector)
    ),
    Case(
        "pods",
        "a Pods metric, as the HPA asks",
        PODS + "?labelSelector=&metricLabelSelector=",
        (*LIST, laws.each_alone),
    ),
    Case("pods/bare", "without a query", PODS, LIST),
    Case("pods/api-version", "the pods' own apiVersion", PODS, (laws.group_versions_are_proper,)),
    Case("pods/escaped", "`*` may be escaped", PODS.replace("*", "%2A"), LIST),
    *(
        Case(
            f"pods/selector/{name}",
            f"a selector that all fulfil: {text}",
            f"{PODS}?labelSelector={text}",
            (*LIST, laws.same_as_without_query),
        )
        for name, text in (
            ("absent", f"!{ABSENT}"),
            ("unequal", f"{ABSENT}!%3Dx"),
            ("notin", f"{ABSENT}+notin+(x,y)"),
            ("several", f"!{ABSENT},{ABSENT}!%3Dx"),
        )
    ),
    Case("pods/one", "a pod by its name", POD, ONE),
    Case(
        "pods/one/selector", "labelSelector means nothing for a name", POD + "?labelSelector=foo%3Dbar", ONE
    ),
    Case(
        "pods/series",
        "series that all fulfil the metric's selector",
        f"{PODS}?metricLabelSelector=!{ABSENT}",
        (*LIST, laws.same_as_without_query),
    ),
    Case(
        "pods/name-field",
        "a fieldSelector that says the same as the path",
        POD + "?fieldSelector=metadata.name%3D{pod}",
        ONE,
    ),
    Case("namespace", "a metric of a Namespace", NAMESPACE + "?metricLabelSelector=", ONE),
    Case(
        "namespace/selector",
        "labelSelector means nothing for a name",
        NAMESPACE + "?labelSelector=foo%3Dbar",
        ONE,
    ),
    Case("root", "a metric of a root-scoped object", ROOT, ONE),
    Case("root/selector", "labelSelector means nothing for a name", ROOT + "?labelSelector=foo%3Dbar", ONE),
    Case("root/all", "`*` is all of a kind", ROOTS, (*LIST, laws.each_alone)),
    *(
        Case(
            f"accept/{name}", f"Accept: {accept}", OBJECT, (laws.honours_accept,), headers={"Accept": accept}
        )
        for name, accept in (
            ("json", "application/json"),
            ("any", "*/*"),
            ("any-application", "application/*"),
            ("protobuf-or-any", "application/vnd.kubernetes.protobuf, */*"),
            ("protobuf-or-json", "application/vnd.kubernetes.protobuf,application/json"),
            ("quality", "text/html, application/json;q=0.9"),
        )
    ),
    _refusal("accept/html", "no type that is served", OBJECT, 406, headers={"Accept": "text/html"}),
    _refusal(
        "accept/table",
        "a form that is not served",
        OBJECT,
        406,
        headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"},
    ),
    _refusal(
        "unknown/metric", "an unknown metric of an object", OBJECT + "_nope", 404, laws.names_the_metric
    ),
    _refusal(
        "unknown/object",
        "an unknown object",
        P + "/namespaces/{object_ns}/{object_resource}/nope/{object_metric}",
        404,
        laws.names_the_metric,
    ),
    _refusal(
        "unknown/pods-metric",
        "an unknown metric of pods: an error, not an empty list",
        PODS + "_nope",
        404,
        laws.names_the_metric,
    ),
    _refusal(
        "unknown/pod",
        "an unknown pod",
        P + "/namespaces/{pods_ns}/pods/nope/{pods_metric}",
        404,
        laws.names_the_metric,
    ),
    _refusal(
        "unknown/resource",
        "an unknown kind",
        P + "/namespaces/{ns}/nopes.example.com/nope/metric",
        404,
        laws.names_the_metric,
    ),
    _refusal(
        "unknown/namespace",
        "a Namespace without metrics",
        P + "/namespaces/{ns}/metrics/nope",
        404,
        laws.names_the_metric,
    ),
    _refusal(
        "unknown/root",
        "a root-scoped object without metrics",
        P + "/nodes/nope/nope",
        404,
        laws.names_the_metric,
    ),
    _refusal(
        "unmatched/pods",
        "no pod has the labels: an error, not an empty list",
        f"{PODS}?labelSelector={ABSENT}",
        404,
    ),
    _refusal(
        "unmatched/objects",
        "no object has the labels: an error, not an empty list",
        f"{OBJECTS}?labelSelector={ABSENT}",
        404,
        laws.names_the_metric,
    ),
    _refusal("unmatched/series", "no series has the labels", f"{OBJECT}?metricLabelSelector={ABSENT}", 404),
    _refusal("path/no-metric", "a root-scoped object without a metric", P + "/nodes/foo", 404),
    _refusal("path/pod-no-metric", "a pod without a metric", P + "/namespaces/{ns}/pods/bar", 404),
    _refusal("path/too-long", "a part too many", P + "/namespaces/{ns}/pods/bar/metric/more", 404),
    _refusal("path/short", "a namespace and one part more", P + "/namespaces/{ns}/metric", 400),
    *(
        _refusal(f"malformed/{name}", f"a query that does not parse: {query}", f"{path}?{query}", 400)
        for name, path, query in (
            ("labels", PODS, "labelSelector=a%20b"),
            ("labels-value", PODS, "labelSelector=a%3D%3D%3Db"),
            ("labels-of-all", OBJECTS, "labelSelector=a%20b"),
            ("labels-of-one", OBJECT, "labelSelector=a%20b"),
            ("series", OBJECT, "metricLabelSelector=%3D%3D"),
            ("field", POD, "fieldSelector=metadata.name"),
            ("field-of-another", POD, "fieldSelector=metadata.name%3Dnope"),
            ("limit", OBJECT, "limit=many"),
        )
    ),
    *(
        _refusal(f"method/{method.lower()}", "metrics can only be read", OBJECT, 405, method=method)
        for method in ("POST", "PUT", "PATCH", "DELETE")
    ),
)

EXTERNAL_CASES = (
    Case("external", "an External metric, as the HPA asks", EXTERNAL + "?labelSelector=", SUMMED),
    Case("external/window", "over which time it was averaged", EXTERNAL, (laws.has_windows,)),
    Case("external/bare", "without a query", EXTERNAL, SUMMED),
    Case("external/selector", "a selector that all fulfil", f"{EXTERNAL}?labelSelector=!{ABSENT}", SUMMED),
    Case("external/slash", "a slash at the end changes nothing", EXTERNAL + "/", ()),
    Case(
        "external/protobuf-or-any",
        "as the controller manager asks",
        EXTERNAL,
        (laws.honours_accept,),
        headers={"Accept": "application/vnd.kubernetes.protobuf, */*"},
    ),
    _refusal("external/html", "no type that is served", EXTERNAL, 406, headers={"Accept": "text/html"}),
    _refusal(
        "external/unknown",
        "an unknown metric: an error, not an empty list",
        E + "/namespaces/{ns}/nope",
        404,
        laws.names_the_metric,
    ),
    _refusal(
        "external/unmatched",
        "no series has the labels: an error, not an empty list",
        f"{EXTERNAL}?labelSelector={ABSENT}",
        404,
    ),
    _refusal("external/malformed", "a selector that does not parse", EXTERNAL + "?labelSelector=a%20b", 400),
    _refusal("external/limit", "a list option that does not parse", EXTERNAL + "?limit=many", 400),
    _refusal("external/no-namespace", "without a namespace", E + "/metric", 404),
    _refusal("external/no-metric", "without a metric", E + "/namespaces/{ns}", 404),
    _refusal("external/grouped", "a name holds no slash", E + "/namespaces/{ns}/group/metric", 404),
    *(
        _refusal(f"external/{method.lower()}", "metrics can only be read", EXTERNAL, 405, method=method)
        for method in ("POST", "DELETE")
    ),
)

FORGED = {"X-Remote-User": "system:kube-aggregator", "X-Remote-Group": "system:masters"}

ACCESS = (
    _refusal("access/nobody", "no identity, no metric", OBJECT, 403, nobody=True),
    _refusal("access/nobody-external", "no identity, no metric", EXTERNAL, 403, nobody=True),
    _refusal(
        "access/nobody-discovery", "no identity, no discovery", "/apis/{group_version}", 403, nobody=True
    ),
    _refusal(
        "access/forged", "only the front proxy may say who asks", OBJECT, 403, headers=FORGED, nobody=True
    ),
    _refusal(
        "access/token",
        "a token that proves nothing",
        OBJECT,
        401,
        headers={"Authorization": "Bearer forged"},
        nobody=True,
    ),
)

CASES = (*DISCOVERY, *CUSTOM, *EXTERNAL_CASES, *ACCESS)

_VALUES = {
    "version": SERVED["custom.metrics.k8s.io"],
    "group_version": tuple(f"{group}/{one}" for group, versions in SERVED.items() for one in versions),
}


def instances(case: Case) -> Iterator[tuple[str, str]]:
    """Label and path for each served version that the case is about; other placeholders stay."""
    for placeholder, values in _VALUES.items():
        if placeholder in case.needs():
            for value in values:
                yield f"{case.name} {value}", re.sub(rf"\{{{placeholder}\}}", value, case.path)
            return
    yield case.name, case.path
