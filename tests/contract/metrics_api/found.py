"""Which metrics an adapter has: told by who runs the kit, else discovered."""

from collections.abc import Iterable, Iterator, Mapping

from tests.contract.metrics_api.client import Client

CUSTOM = "/apis/custom.metrics.k8s.io/v1beta2"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1"

FORMS: Mapping[str, tuple[str, ...]] = {
    "object": ("object_ns", "object_resource", "object", "object_metric"),
    "object-label": ("object_label",),
    "pods": ("pods_ns", "pods_metric"),
    "namespace": ("described_ns", "ns_metric"),
    "root": ("root_resource", "root", "root_metric"),
    "external": ("external_ns", "external_metric"),
}
"""What is told with slashes between, and as which placeholders of the cases it is used. A label, `KEY=VALUE`, is one that of
all objects that have the metric a single one has; no adapter tells it."""

Found = dict[str, str]
"""Placeholder -> value; what the adapter does not have is absent."""


def told(form: str, text: str) -> Found:
    """`text` as FORMS has it. Raises ValueError."""
    names = FORMS[form]
    parts = text.split("/") if len(names) > 1 else [text]
    if len(parts) != len(names) or not all(parts):
        raise ValueError(f"--{form} {text!r} has not the form {form_of(form)}")
    return dict(zip(names, parts, strict=True))


def form_of(form: str) -> str:
    return "/".join(name.split("_")[-1].upper() for name in FORMS[form])


def find(client: Client, known: Found, namespaces: Iterable[str]) -> Found:
    """`known`, and what discovery lists and at least one request is answered for."""
    found = dict(known)
    resources = (client.document(CUSTOM) or {}).get("resources", [])
    listed = [r["name"] for r in resources if r["namespaced"]]
    cluster = [r["name"] for r in resources if not r["namespaced"]]
    external = [r["name"] for r in (client.document(EXTERNAL) or {}).get("resources", [])]
    places = list(namespaces) or _namespaces(client)
    for form, requests in (
        ("object", _objects(client, places, listed)),
        ("pods", _pods(client, places, listed)),
        ("namespace", _of_namespaces(client, places, cluster)),
        ("external", _external(client, places, external)),
    ):
        if FORMS[form][0] not in found:
            found.update(next(requests, {}))
    return {
        "ns": found.get("object_ns", next(iter(places), "default")),
        **found,
        **dict(_derived(client, found)),
    }


def _namespaces(client: Client) -> list[str]:
    """All of the cluster, where the URL is that of an API server."""
    items = (client.document("/api/v1/namespaces") or {}).get("items", [])
    return [item["metadata"]["name"] for item in items]


def _objects(client: Client, places: Iterable[str], listed: Iterable[str]) -> Iterator[Found]:
    split = [name.partition("/") for name in listed]
    for place, (resource, _, metric) in ((p, s) for p in places for s in split if s[0] != "pods"):
        for name in _names(client, f"{CUSTOM}/namespaces/{place}/{resource}/*/{metric}"):
            yield told("object", f"{place}/{resource}/{name}/{metric}")


def _pods(client: Client, places: Iterable[str], listed: Iterable[str]) -> Iterator[Found]:
    for place, (resource, _, metric) in ((p, name.partition("/")) for p in places for name in listed):
        if resource == "pods" and any(_names(client, f"{CUSTOM}/namespaces/{place}/pods/*/{metric}")):
            yield told("pods", f"{place}/{metric}")


def _of_namespaces(client: Client, places: Iterable[str], listed: Iterable[str]) -> Iterator[Found]:
    for place, (resource, _, metric) in ((p, name.partition("/")) for p in places for name in listed):
        if resource == "namespaces" and any(_names(client, f"{CUSTOM}/namespaces/{place}/metrics/{metric}")):
            yield told("namespace", f"{place}/{metric}")


def _external(client: Client, places: Iterable[str], listed: Iterable[str]) -> Iterator[Found]:
    for place, metric in ((p, name) for p in places for name in listed):
        if (client.document(f"{EXTERNAL}/namespaces/{place}/{metric}") or {}).get("items"):
            yield told("external", f"{place}/{metric}")


def _derived(client: Client, found: Found) -> Iterator[tuple[str, str]]:
    """One of the pods that have the Pods metric; other names of the object's kind."""
    if "pods_ns" in found:
        path = f"{CUSTOM}/namespaces/{found['pods_ns']}/pods/*/{found['pods_metric']}"
        yield from (("pod", name) for name in _names(client, path)[:1])
    if "object_ns" in found:
        path = "/namespaces/{object_ns}/{object_resource}/{object}/{object_metric}".format_map(found)
        items = (client.document(CUSTOM + path) or {}).get("items", [])
        plural, _, group = found["object_resource"].partition(".")
        for kind in (item["describedObject"]["kind"].lower() for item in items):
            yield "object_singular", f"{kind}.{group}" if group else kind
        yield "object_plural", plural


def _names(client: Client, path: str) -> list[str]:
    items = (client.document(path) or {}).get("items", [])
    return [str(item["describedObject"]["name"]) for item in items]
