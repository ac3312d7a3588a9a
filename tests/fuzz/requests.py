"""Requests as a client with bad intent or a bad library sends them."""

import random
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.fuzz import damage

CUSTOM = "/apis/custom.metrics.k8s.io/v1beta2"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1"
WEB = f"{CUSTOM}/namespaces/shop/deployments.apps/web"
QPS = f"{WEB}/qps"
TOKEN = "t0ken"
"""Of the only one who may read."""

PATHS = (
    QPS,
    f"{WEB}/qps_per_replica",
    f"{WEB}/replicas_scaling",
    f"{CUSTOM}/namespaces/shop/deployments/*/qps",
    f"{CUSTOM.replace('2', '1')}/namespaces/shop/deployments.apps/web/queue_backlog",
    f"{CUSTOM}/namespaces/shop/deployments.apps/dead/qps",
    f"{CUSTOM}/namespaces/shop/pods/*/qps_scaling",
    f"{CUSTOM}/namespaces/shop/pods/web-1/qps_scaling",
    f"{CUSTOM}/namespaces/shop/metrics/queue_backlog",
    f"{EXTERNAL}/namespaces/shop/qps",
    f"{EXTERNAL}/namespaces/shop/replicas_scaling",
    "/apis",
    "/apis/custom.metrics.k8s.io",
    CUSTOM,
    "/openapi/v2",
    "/openapi/v3",
    "/version",
    "/healthz",
    "/readyz",
)
SELECTORS = (
    "app=web",
    "app in (web,api)",
    "!app",
    "app!=web,tier",
    "tidecast.dev/workload=web",
    "a>1",
    "a notin (b)",
)
ACCEPTS = (
    "application/json",
    "*/*",
    "application/vnd.kubernetes.protobuf, */*",
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    "text/html;q=0.9, application/json;q=0.1",
)
METHODS = ("GET",) * 6 + (
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "PRI",
    "get",
    "G T",
    "",
)
VERSIONS = ("HTTP/1.1",) * 6 + ("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9", "HTTP", "")
HEADERS = (
    ("Authorization", "Bearer forged"),
    ("Authorization", f"Basic {TOKEN}"),
    ("Authorization", "Bearer"),
    ("X-Remote-User", "system:serviceaccount:kube-system:horizontal-pod-autoscaler"),
    ("X-Remote-Group", "system:masters"),
    ("X-Remote-Extra-A%zz", "x"),
    ("If-None-Match", '"x", W/"y"'),
    ("If-None-Match", "*"),
    ("If-None-Match", '"'),
    ("Expect", "100-continue"),
    ("Expect", "the impossible"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Connection", "close"),
    ("Content-Length", "-1"),
    ("Content-Length", "5"),
    ("Content-Length", "9" * 30),
    ("Transfer-Encoding", "chunked"),
    ("Transfer-Encoding", "gzip, chunked"),
    ("Content-Encoding", "gzip"),
    ("Content-Type", "application/json"),
    ("Cookie", "a=b; " * 20),
    ("Range", "bytes=0-1,-9"),
    ("Host", "elsewhere:99999"),
)
BODIES = (
    b"{}",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"zz\r\nx\r\n",
    b"ffffffffffffffffff\r\nx",
    b"-1\r\n\r\n",
    b"\x1f\x8b\x08\x00",
    b"x" * 9_000,
)


@dataclass
class Draft:
    """A request before it is damaged as bytes."""

    path: str
    method: str = "GET"
    version: str = "HTTP/1.1"
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def encoded(self) -> bytes:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        target = f"{self.path}?{query}" if query else self.path
        lines = [
            f"{self.method} {target} {self.version}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def good(path: str = QPS) -> bytes:
    return Draft(path, headers=[("Host", "x"), ("Authorization", f"Bearer {TOKEN}")]).encoded()


def damaged(chance: random.Random) -> bytes:
    """A request with one to three faults, or now and then with none."""
    draft = Draft(chance.choice(PATHS), headers=[("Host", "x"), ("Accept", chance.choice(ACCEPTS))])
    if chance.random() < 0.8:
        draft.headers.append(("Authorization", f"Bearer {TOKEN}"))
    if chance.random() < 0.4:
        draft.query.append(
            (chance.choice(("labelSelector", "metricLabelSelector")), quote(chance.choice(SELECTORS)))
        )
    for _ in range(chance.randint(0, 3)):
        chance.choice(FAULTS)(chance, draft)
    whole = draft.encoded()
    for _ in range(chance.choice((0, 0, 0, 0, 0, 0, 1, 2))):
        whole = damage.data(chance, whole)
    return whole


def _path(chance: random.Random, draft: Draft) -> None:
    parts = draft.path.split("/")
    at = chance.randrange(len(parts))
    other = chance.choice(chance.choice(PATHS).split("/"))
    match chance.randrange(5):
        case 0:
            parts[at] = damage.text(chance, parts[at])
        case 1:
            parts[at] = other
        case 2:
            parts.insert(at, other)
        case 3:
            del parts[at]
        case _:
            parts[at] = "".join(f"%{byte:02x}" for byte in parts[at].encode())
    draft.path = "/".join(parts)


def _long_path(chance: random.Random, draft: Draft) -> None:
    draft.path += chance.choice(("a", "/", "%20", "../")) * chance.choice((100, 500, 1_000, 9_000))


def _method(chance: random.Random, draft: Draft) -> None:
    draft.method = chance.choice(METHODS)


def _version(chance: random.Random, draft: Draft) -> None:
    draft.version = chance.choice(VERSIONS)


def _query(chance: random.Random, draft: Draft) -> None:
    name = chance.choice(
        ("labelSelector", "metricLabelSelector", "fieldSelector", "limit", "watch", "hash", "x")
    )
    value = damage.text(chance, chance.choice((*SELECTORS, "metadata.name=web", "1", "true")))
    draft.query.append((name, quote(value) if chance.random() < 0.7 else value))


def _long_selector(chance: random.Random, draft: Draft) -> None:
    part = chance.choice(("a,", "a in (b,c),", "a%20", "(", "!!", "a%20in%20(" + "b%20" * 20, "1" * 50))
    draft.query.append(("labelSelector", part * chance.randint(1, 200)))


def _header(chance: random.Random, draft: Draft) -> None:
    draft.headers.insert(chance.randint(0, len(draft.headers)), chance.choice(HEADERS))


def _strange_header(chance: random.Random, draft: Draft) -> None:
    at = chance.randrange(len(draft.headers))
    name, value = draft.headers[at]
    draft.headers[at] = (
        (name, damage.text(chance, value)) if chance.random() < 0.7 else (damage.text(chance, name), value)
    )


def _many_headers(chance: random.Random, draft: Draft) -> None:
    draft.headers += [(f"X-{number}", "x") for number in range(chance.choice((1, 50, 100, 300)))]


def _huge_header(chance: random.Random, draft: Draft) -> None:
    name = chance.choice(("X", "Accept", "Authorization", "If-None-Match", "X-Remote-User"))
    draft.headers.append(
        (name, chance.choice(("a", "a,", ";q=", "Bearer ", '"a",')) * chance.choice((10, 200, 1_000, 5_000)))
    )


def _body(chance: random.Random, draft: Draft) -> None:
    draft.body = chance.choice(BODIES)
    length = len(draft.body) + chance.choice((0, 0, -1, 1, 10_000))
    framing = ("Content-Length", str(length)), ("Transfer-Encoding", "chunked")
    draft.headers += chance.sample(framing, chance.randint(0, 2))


FAULTS = (
    _path, _path, _path, _long_path, _method, _version, _query, _query, _long_selector, _header, _header,
    _strange_header, _many_headers, _huge_header, _body,
)  # fmt: skip
