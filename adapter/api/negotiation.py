"""Content negotiation: which form of a document a client wants, by its Accept header (RFC 9110, 12.5.1).

Everything is JSON. Discovery has forms beside the plain one, which a client names by parameters, as in
`application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from adapter.api.status import ApiError

PLAIN = ""
JSON = "application/json"
MAX_HEADER = 4096
_TYPES = (JSON, "application/*", "*/*")
_REMEMBERED = 256


def aggregated_form(version: str) -> str:
    """The form of discovery that is one document for all groups."""
    return f"g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


@lru_cache(_REMEMBERED)
def negotiate(accept: str, forms: Collection[str] = (PLAIN,)) -> str:
    """The form that a client likes best; all of them where it says nothing. Raises ApiError 406."""
    for form in _wanted(accept[:MAX_HEADER]) if accept.strip() else (PLAIN,):
        if form in forms:
            return form
    raise ApiError(406, "only application/json is served; add it to the Accept header")


def _wanted(accept: str) -> Iterator[str]:
    """The forms of JSON that are accepted, the best first."""
    clauses = [_clause(text) for text in accept.split(",")]
    for media_type, parameters in sorted(clauses, key=lambda clause: -_quality(clause[1])):
        if media_type in _TYPES and _quality(parameters) > 0:
            yield _form(parameters)


def _clause(text: str) -> tuple[str, Mapping[str, str]]:
    media_type, *rest = (part.strip() for part in text.split(";"))
    pairs = (part.partition("=") for part in rest)
    return media_type.lower(), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _quality(parameters: Mapping[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0


def _form(parameters: Mapping[str, str]) -> str:
    """PLAIN unless `as` asks for another kind of object."""
    if "as" not in parameters:
        return PLAIN
    return ";".join(f"{name}={parameters.get(name, '')}" for name in ("g", "v", "as"))
