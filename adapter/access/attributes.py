"""What a request touches, in the words of authorization: as kube-apiserver's RequestInfo reads a path."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

_VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}


@dataclass(frozen=True, slots=True)
class Attributes:
    """Of a resource when `group` is set, else of a path."""

    verb: str
    path: str = ""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""

    def whole_group(self) -> "Attributes":
        """The same verb on all there is in the group, in all namespaces."""
        return _whole_group(self.verb, self.group)

    def review(self) -> dict[str, Any]:
        """As a SubjectAccessReview names them."""
        if not self.group:
            return {"nonResourceAttributes": {"path": self.path, "verb": self.verb}}
        names = ("verb", "group", "version", "namespace", "resource", "subresource", "name")
        return {"resourceAttributes": {name: value for name in names if (value := getattr(self, name))}}

    def refusal(self, user: str) -> str:
        """The sentence with which kube-apiserver refuses."""
        if not self.group:
            return f'forbidden: User "{user}" cannot {self.verb} path "{self.path}"'
        whole = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        where = f' in the namespace "{self.namespace}"' if self.namespace else " at the cluster scope"
        return (
            f'{self.resource}.{self.group} "{self.name}" is forbidden: User "{user}" cannot {self.verb} '
            f'resource "{whole}" in API group "{self.group}"{where}'
        )


def attributes_of(method: str, raw_path: str, query: Mapping[str, str]) -> Attributes:
    """Of a request: a resource's from /apis/GROUP/VERSION/RESOURCE on, else the path's."""
    return _attributes(_VERBS.get(method, method.lower()), raw_path, query.get("watch") in ("1", "true"))


@lru_cache(64)
def _whole_group(verb: str, group: str) -> Attributes:
    return Attributes(verb, group=group, version="*", resource="*")


@lru_cache(1024)
def _attributes(verb: str, raw_path: str, watches: bool) -> Attributes:
    parts = [unquote(part) for part in raw_path.strip("/").split("/")]
    if parts[0] != "apis" or len(parts) < 4:
        return Attributes(verb, path=raw_path)
    group, version, *rest = parts[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        rest = rest[2:] or rest
    resource, name, subresource = (*rest, "", "", "")[:3]
    if not name and verb == "get":
        verb = "watch" if watches else "list"
    return Attributes(verb, "", group, version, namespace, resource, subresource, name)
