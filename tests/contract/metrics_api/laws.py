"""What an answer must be: each law raises Broken with the difference, and otherwise returns.

Sources: the types of k8s.io/metrics, apimachinery's Status and Quantity, kube-aggregator's discovery.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from tests.contract.metrics_api.client import Answer, Client, Json

SERVED = {"custom.metrics.k8s.io": ("v1beta2", "v1beta1"), "external.metrics.k8s.io": ("v1beta1",)}
REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
}
CLOCK_SKEW = timedelta(seconds=5)

_QUANTITY = re.compile(r"(0|-?[1-9]\d*)([mkMGTPE]?)")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_API_VERSION = re.compile(r"([a-z0-9.-]+/)?v\d+((alpha|beta)\d+)?")


class Broken(Exception):
    """The answer is not as the contract has it."""


@dataclass(frozen=True)
class Asked:
    """The request of an answer, and the client for laws that need another one."""

    client: Client
    path: str
    headers: Mapping[str, str]
    method: str
    nobody: bool

    def again(self, headers: Mapping[str, str] | None = None) -> Answer:
        sent = {**self.headers, **(headers or {})}
        return self.client.ask(self.path, sent, self.method, self.nobody)

    @property
    def plain_path(self) -> str:
        return self.path.partition("?")[0]

    @property
    def parts(self) -> list[str]:
        """Of the path, with escapes undone."""
        return [unquote(part) for part in self.plain_path.split("/")]


Law = Callable[[Answer, Asked], None]


def must(holds: object, text: str) -> None:
    """Raises Broken with `text` unless it holds."""
    if not holds:
        raise Broken(text)


def is_json(answer: Answer, asked: Asked) -> None:
    must(answer.media_type == "application/json", f"Content-Type is {answer.headers.get('content-type')!r}")
    answer.json()


def is_ok_text(answer: Answer, asked: Asked) -> None:
    must(answer.body.strip() == b"ok", f"the body is {answer.body[:80]!r}")


def is_exposition(answer: Answer, asked: Asked) -> None:
    """Prometheus' text format."""
    must(answer.media_type == "text/plain", f"Content-Type is {answer.media_type!r}")
    must(b"# TYPE " in answer.body, "no metric has a type")


def is_status(answer: Answer, asked: Asked) -> None:
    """The error of a request, in the form that the HPA writes into its events."""
    is_json(answer, asked)
    document, code = answer.json(), answer.status
    for name, value in (("kind", "Status"), ("apiVersion", "v1"), ("status", "Failure"), ("code", code)):
        must(document.get(name) == value, f"{name} is {document.get(name)!r} instead of {value!r}")
    must(document.get("metadata") == {}, f"metadata is {document.get('metadata')!r} instead of {{}}")
    must(document.get("reason") == REASONS[code], f"reason is {document.get('reason')!r}")
    must(document.get("message"), "there is no message")


def message_stays(answer: Answer, asked: Asked) -> None:
    """Equal events are one: a message that changes while its cause does not would flood the HPA's events."""
    first, second = answer.json().get("message"), asked.again().json().get("message")
    must(first == second, f"the message changes while its cause does not: {first!r}, {second!r}")


def names_the_metric(answer: Answer, asked: Asked) -> None:
    metric = asked.parts[-1]
    message = answer.json().get("message", "")
    must(metric in message, f"the message does not name {metric}: {message!r}")


def honours_accept(answer: Answer, asked: Asked) -> None:
    """The content is of a type that was asked for."""
    ranges = [part.split(";")[0].strip() for part in asked.headers["Accept"].split(",")]
    fits = {answer.media_type, "application/*", "*/*"} & set(ranges)
    must(fits, f"Content-Type {answer.media_type!r} was not asked for")


def metric_list(answer: Answer, asked: Asked) -> None:
    """MetricValueList or ExternalMetricValueList, item by item."""
    is_json(answer, asked)
    document = answer.json()
    _, _, group, version, *_ = asked.parts
    kind = "MetricValueList" if group.startswith("custom") else "ExternalMetricValueList"
    must(document.get("kind") == kind, f"kind is {document.get('kind')!r} instead of {kind!r}")
    api_version = f"{group}/{version}"
    must(document.get("apiVersion") == api_version, f"apiVersion is {document.get('apiVersion')!r}")
    must(isinstance(document.get("metadata"), dict), "metadata is missing")
    items = document.get("items")
    must(isinstance(items, list) and items, f"items is {items!r}")
    for item in items or []:
        _item(item, group, version, asked.parts[-1])


def one_item(answer: Answer, asked: Asked) -> None:
    """The HPA refuses any other number for an object."""
    count = len(answer.json()["items"])
    must(count == 1, f"{count} items instead of exactly one")


def described(answer: Answer, asked: Asked) -> None:
    """Each item is about an object of the request: of its namespace, and of its name unless that is `*`."""
    parts = asked.parts[4:]
    if parts[0] == "namespaces" and parts[2] != "metrics":
        namespace, name = parts[1], parts[3]
    else:
        namespace, name = "", parts[1]
    for item in answer.json()["items"]:
        about = item["describedObject"]
        must(about.get("namespace", "") == namespace, f"describedObject is {about}")
        must(name in ("*", about["name"]), f"describedObject is {about}")


def group_versions_are_proper(answer: Answer, asked: Asked) -> None:
    for item in answer.json()["items"]:
        found = item["describedObject"].get("apiVersion", "")
        must(_API_VERSION.fullmatch(found), f"describedObject.apiVersion is {found!r}")


def has_windows(answer: Answer, asked: Asked) -> None:
    """Over which time the value was averaged; without it the HPA takes a minute."""
    for item in answer.json()["items"]:
        must("windowSeconds" in item or "window" in item, "an item has no window")


def each_once_in_order(answer: Answer, asked: Asked) -> None:
    names = [item["describedObject"]["name"] for item in answer.json()["items"]]
    must(names == sorted(set(names)), f"objects are not listed once and in order: {names[:5]}")


def each_alone(answer: Answer, asked: Asked) -> None:
    """What `*` lists is there under its own name too."""
    for name in _object_names(answer.json())[:3]:
        path = asked.plain_path.replace("/*/", f"/{quote(name)}/")
        alone = asked.client.ask(path, asked.headers)
        must(alone.status == 200, f"{path} answers {alone.status}")
        must(_object_names(alone.json()) == [name], f"{path} is about {_object_names(alone.json())}")


def same_as_without_query(answer: Answer, asked: Asked) -> None:
    """The query selects everything."""
    whole = asked.client.ask(asked.plain_path, asked.headers)
    must(whole.status == 200, f"without a query it answers {whole.status}")
    found, all_names = _object_names(answer.json()), _object_names(whole.json())
    must(found == all_names, f"{found} instead of {all_names}")


def is_alone_in(answer: Answer, asked: Asked) -> None:
    """The query selects one of all."""
    whole = asked.client.ask(asked.plain_path, asked.headers)
    must(whole.status == 200, f"without a query it answers {whole.status}")
    found, all_names = _object_names(answer.json()), _object_names(whole.json())
    must(len(found) == 1 and set(found) < set(all_names), f"{found} is not one of {all_names}")


def tells_what_is_absent(answer: Answer, asked: Asked) -> None:
    """The selector `!KEY` of the query, as apimachinery's ParseToLabelSelector has it."""
    key = unquote(asked.path.rpartition("=!")[2])
    wanted = {"matchExpressions": [{"key": key, "operator": "DoesNotExist"}]}
    for told in _series_selectors(answer):
        must(told == wanted, f"the selector is {told!r} instead of {wanted!r}")


def tells_no_selector(answer: Answer, asked: Asked) -> None:
    for told in _series_selectors(answer):
        must(told is None, f"the selector is {told!r} instead of null")


def lists_groups(answer: Answer, asked: Asked) -> None:
    is_json(answer, asked)
    document = answer.json()
    must((document.get("kind"), document.get("apiVersion")) == ("APIGroupList", "v1"), "is no APIGroupList")
    groups = {group["name"]: group for group in document["groups"]}
    for name in SERVED:
        must(name in groups, f"{name} is not listed")
        _group(groups[name], name)


def is_group(answer: Answer, asked: Asked) -> None:
    is_json(answer, asked)
    document = answer.json()
    must((document.get("kind"), document.get("apiVersion")) == ("APIGroup", "v1"), "is no APIGroup")
    _group(document, asked.path.strip("/").rsplit("/", 1)[1])


def lists_all_versions(answer: Answer, asked: Asked) -> None:
    document = answer.json()
    found, wanted = [v["version"] for v in document["versions"]], SERVED[document["name"]]
    must(set(found) == set(wanted), f"versions are {found} instead of {list(wanted)}")
    must(document["preferredVersion"]["version"] == wanted[0], f"prefers {document['preferredVersion']}")


def lists_resources(answer: Answer, asked: Asked) -> None:
    is_json(answer, asked)
    document = answer.json()
    group, version = asked.path.strip("/").split("/")[1:3]
    must((document.get("kind"), document.get("apiVersion")) == ("APIResourceList", "v1"), "is no list")
    must(
        document.get("groupVersion") == f"{group}/{version}", f"groupVersion is {document['groupVersion']!r}"
    )
    kind = "MetricValueList" if group.startswith("custom") else "ExternalMetricValueList"
    for resource in document["resources"]:
        must(resource["kind"] == kind, f"{resource['name']} is of kind {resource['kind']!r}")
        must(resource["verbs"] == ["get"], f"{resource['name']} has verbs {resource['verbs']}")
        must("singularName" in resource, f"{resource['name']} has no singularName")
        must(isinstance(resource["namespaced"], bool), f"namespaced of {resource['name']} is no truth value")
        slashes = 1 if group.startswith("custom") else 0
        must(resource["name"].count("/") == slashes, f"{resource['name']!r} has not {slashes} slashes")
    names = [resource["name"] for resource in document["resources"]]
    must(len(names) == len(set(names)), "a resource is listed twice")


def is_aggregated(answer: Answer, asked: Asked) -> None:
    """Discovery of all groups in one document, of the first version that was asked for."""
    version = re.findall(r"v=(v2\w*)", asked.headers["Accept"])[0]
    content_type = answer.headers.get("content-type", "").replace(" ", "")
    wanted = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    must(content_type == wanted, f"Content-Type is {content_type!r}")
    document = answer.json()
    must(document.get("kind") == "APIGroupDiscoveryList", f"kind is {document.get('kind')!r}")
    must(document.get("apiVersion") == f"apidiscovery.k8s.io/{version}", f"is {document.get('apiVersion')!r}")
    must("accept" in answer.headers.get("vary", "").lower(), "Vary does not name Accept")


def aggregates_all(answer: Answer, asked: Asked) -> None:
    """It holds the groups and versions that are served, and of each what the plain list holds."""
    items = {item["metadata"]["name"]: item for item in answer.json()["items"]}
    for group, versions in SERVED.items():
        must(group in items, f"{group} is not in it")
        found = {version["version"]: version for version in items[group]["versions"]}
        must(set(found) == set(versions), f"versions of {group} are {sorted(found)}")
        for version in versions:
            _agrees(asked.client, group, version, found[version])


def revalidates(answer: Answer, asked: Asked) -> None:
    """An ETag, by which a client learns without a body that nothing has changed."""
    tag = answer.headers.get("etag", "")
    must(re.fullmatch(r'(W/)?"[^"]+"', tag), f"ETag is {tag!r}")
    again = asked.again({"If-None-Match": tag})
    must(
        (again.status, again.body) == (304, b""),
        f"If-None-Match: {again.status} with {len(again.body)} bytes",
    )
    other = asked.again({"If-None-Match": '"other"'})
    must(other.status == 200, f"If-None-Match of another tag: {other.status}")


def is_openapi_v2(answer: Answer, asked: Asked) -> None:
    is_json(answer, asked)
    document = answer.json()
    must(document.get("swagger") == "2.0", f"swagger is {document.get('swagger')!r}")
    must(document.get("info", {}).get("title"), "info has no title")
    _describes_reads(document, [f"/apis/{g}/{v}/" for g, versions in SERVED.items() for v in versions])
    _references_lead(document, document)


def indexes_openapi_v3(answer: Answer, asked: Asked) -> None:
    is_json(answer, asked)
    paths = answer.json()["paths"]
    for group, versions in SERVED.items():
        for version in versions:
            name = f"apis/{group}/{version}"
            must(name in paths, f"{name} is not listed")
            url = paths[name]["serverRelativeURL"]
            must(url.startswith(f"/openapi/v3/{name}?hash="), f"serverRelativeURL of {name} is {url!r}")
            must(asked.client.ask(url).status == 200, f"{url} is not there")


def is_openapi_v3(answer: Answer, asked: Asked) -> None:
    is_json(answer, asked)
    document = answer.json()
    must(str(document.get("openapi", "")).startswith("3.0"), f"openapi is {document.get('openapi')!r}")
    _describes_reads(document, [asked.path.removeprefix("/openapi/v3") + "/"])
    _references_lead(document, document)


def is_version(answer: Answer, asked: Asked) -> None:
    is_json(answer, asked)
    document = answer.json()
    must({"major", "minor", "gitVersion"} <= set(document), f"it has {sorted(document)}")


def _item(item: Json, group: str, version: str, metric: str) -> None:
    if group.startswith("external"):
        name, window = item.get("metricName"), item.get("window")
        must(isinstance(item.get("metricLabels"), dict | None), f"metricLabels is {item['metricLabels']!r}")
    elif version == "v1beta1":
        name, window = item.get("metricName"), item.get("window")
        must("selector" in item, "selector is missing")
    else:
        name, window = item.get("metric", {}).get("name"), item.get("windowSeconds")
        must("selector" in item["metric"], "metric.selector is missing")
    if not group.startswith("external"):
        about = item.get("describedObject", {})
        must(about.get("kind") and about.get("name"), f"describedObject is {about}")
    must(name == metric, f"the metric's name is {name!r} instead of {metric!r}")
    must(window is None or (isinstance(window, int) and window >= 0), f"the window is {window!r}")
    _quantity(item.get("value"))
    _timestamp(item.get("timestamp"))


def _quantity(value: Any) -> None:
    """Quantity's canonical decimal form: the largest suffix that leaves a whole number, thousandths at the finest."""
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    must(match, f"value {value!r} is no canonical quantity")
    assert match
    digits, suffix = match.groups()
    whole = digits == "0" and not suffix
    must(whole or int(digits) % 1000 or suffix == "E", f"value {value!r} has a shorter form")


def _timestamp(value: Any) -> None:
    must(isinstance(value, str) and _TIME.fullmatch(value), f"timestamp {value!r} is not RFC 3339 in UTC")
    ahead = datetime.fromisoformat(value) - datetime.now(UTC)
    must(ahead <= CLOCK_SKEW, f"timestamp {value} lies ahead of now")


def _group(group: Json, name: str) -> None:
    must(group["name"] == name, f"name is {group['name']!r}")
    for version in [*group["versions"], group["preferredVersion"]]:
        wanted = f"{name}/{version['version']}"
        must(version["groupVersion"] == wanted, f"groupVersion is {version['groupVersion']!r}")
        must(version["version"] in SERVED[name], f"{wanted} is listed")


def _agrees(client: Client, group: str, version: str, found: Json) -> None:
    where = f"{group}/{version}"
    must(found.get("freshness") == "Current", f"freshness of {where} is {found.get('freshness')!r}")
    listed: dict[str, bool] = {}
    for resource in found.get("resources", []):
        namespaced, name = resource["scope"] == "Namespaced", resource["resource"]
        must(resource.get("responseKind"), f"responseKind of {name} is null")
        if resource.get("verbs"):
            listed[name] = namespaced
        for part in resource.get("subresources", []):
            must(part.get("responseKind"), f"responseKind of {name}/{part['subresource']} is null")
            listed[f"{name}/{part['subresource']}"] = namespaced
    plain = client.document(f"/apis/{where}") or {"resources": []}
    wanted = {resource["name"]: resource["namespaced"] for resource in plain["resources"]}
    differing = sorted(set(listed.items()) ^ set(wanted.items()))
    must(not differing, f"{where} differs from the plain list in {len(differing)} resources: {differing[:3]}")


def _describes_reads(document: Json, prefixes: list[str]) -> None:
    """All metrics of the groups can be read, and nothing else be done, by what the document says."""
    for prefix in prefixes:
        paths = {path: item for path, item in document["paths"].items() if path.startswith(prefix)}
        reads = [path for path in paths if "{namespace}" in path]
        must(reads, f"no path below {prefix} is described")
        for path, item in paths.items():
            verbs = {verb for verb in item if verb != "parameters"}
            must(verbs == {"get"}, f"{path} has {sorted(verbs)}")


def _references_lead(document: Json, node: Any) -> None:
    """No `$ref` leads nowhere."""
    if isinstance(node, list):
        for one in node:
            _references_lead(document, one)
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            place: Any = document
            for part in reference.removeprefix("#/").split("/"):
                must(isinstance(place, dict) and part in place, f"{reference} leads nowhere")
                place = place[part]
        for one in node.values():
            _references_lead(document, one)


def _series_selectors(answer: Answer) -> list[Any]:
    """Of each item, in either version."""
    return [item.get("metric", item)["selector"] for item in answer.json()["items"]]


def _object_names(document: Json) -> list[str]:
    return [item["describedObject"]["name"] for item in document["items"]]
