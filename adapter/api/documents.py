"""Documents that are the same for everybody until the catalog changes: made once, with the tag that revalidates them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from adapter.api import discovery, openapi
from adapter.api.negotiation import JSON, PLAIN, aggregated_form, negotiate
from adapter.api.paths import VERSIONS
from adapter.api.status import ApiError, Json
from adapter.catalog import Catalog
from adapter.view import View

Forms = Mapping[str, "Document"]
"""By form, see `negotiation`; a tuple of its keys is what is offered."""


@dataclass(frozen=True)
class Document:
    """`etag` without quotes: the same bytes have the same one in every process."""

    body: bytes
    content_type: str = JSON
    etag: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "etag", hashlib.sha512(self.body).hexdigest().upper())

    @classmethod
    def of(cls, content: Json, form: str = PLAIN) -> "Document":
        return cls(json.dumps(content).encode(), f"{JSON};{form}" if form else JSON)


class Documents:
    """Discovery, OpenAPI and the version. They depend on the catalog alone: never on data, which may be missing."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._fixed = {path: {PLAIN: document} for path, document in _fixed().items()}
        self._catalog = view.catalog
        self._listed = _discovery(self._catalog)

    def find(self, path: str, accept: str) -> Document:
        """`path` without a slash at its end. Raises ApiError 404, 406."""
        if self._catalog is not self._view.catalog:
            self._catalog = self._view.catalog
            self._listed = _discovery(self._catalog)
        forms = self._fixed.get(path) or self._listed.get(path)
        if forms is None:
            raise ApiError(404, "the server could not find the requested resource")
        return forms[negotiate(accept, tuple(forms))]


def _discovery(catalog: Catalog) -> Mapping[str, Forms]:
    whole = {aggregated_form(v): discovery.aggregated(v, catalog) for v in discovery.AGGREGATED}
    made = {"/apis": {PLAIN: discovery.groups()} | whole}
    for group, versions in VERSIONS.items():
        made[f"/apis/{group}"] = {PLAIN: discovery.group(group)}
        for one in versions:
            made[f"/apis/{group}/{one}"] = {PLAIN: discovery.resources(group, one, catalog)}
    return {
        path: {form: Document.of(content, form) for form, content in forms.items()}
        for path, forms in made.items()
    }


def _fixed() -> Mapping[str, Document]:
    number = version("tidecast")
    major, minor, _ = number.split(".", 2)
    groups = {
        f"apis/{group}/{one}": Document.of(openapi.v3(group, one, number))
        for group, versions in VERSIONS.items()
        for one in versions
    }
    tags = {name: document.etag for name, document in groups.items()}
    return {
        "/version": Document.of({"major": major, "minor": minor, "gitVersion": f"v{number}"}),
        "/openapi/v2": Document.of(openapi.v2(number)),
        "/openapi/v3": Document.of(openapi.index(tags)),
    } | {f"/openapi/v3/{name}": document for name, document in groups.items()}
