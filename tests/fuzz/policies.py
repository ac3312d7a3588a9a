"""Files of settings and policies as a person in a hurry, a broken template or an enemy writes them."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import yaml

from tests.fuzz import damage

SETTINGS: dict[str, Any] = {
    "apiVersion": "tidecast.dev/v1alpha1",
    "kind": "Settings",
    "data": "data",
    "http": "127.0.0.1:8080",
    "https": "[::1]:8443",
    "tick": "5s",
    "rateWindow": "30s",
    "forecastPreset": "fast",
    "connections": {"main": {"address": "http://prometheus:9090", "namespaces": ["shop", "*"]}},
    "kubernetes": {"kubeconfig": "config"},
    "certificate": {"certFile": "tls.crt", "keyFile": "tls.key"},
}
POLICY: dict[str, Any] = {
    "apiVersion": "tidecast.dev/v1alpha1",
    "kind": "ScalingPolicy",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "timeZone": "Europe/Berlin",
        "holidays": ["2026-12-25", "2027-01-01"],
        "signals": [
            {
                "name": "qps",
                "source": {"prometheus": {"connection": "main", "query": "sum(rate(x[1m]))"}},
                "perReplica": "120",
                "saturatedAbove": "1500m",
            },
            {"name": "backlog", "source": {"demo": {"load": "tide"}}, "perReplica": 40},
        ],
        "forecast": {"cost": {"short": 9, "over": 1}, "lead": "5m", "models": ["ets"]},
        "scaleUp": {"tolerance": 0.05},
        "scaleDown": {"window": "10m", "maxDecrease": "10%/1m"},
        "schedules": [
            {
                "name": "night",
                "start": "0 22 * * 1-5",
                "end": "0 6 * * *",
                "skipHolidays": True,
                "maxReplicas": 5,
            },
            {
                "name": "day",
                "start": "0 6 * * *",
                "duration": "16h",
                "ramp": "30m",
                "minReplicas": 4,
                "timeZone": "UTC",
            },
        ],
    },
}
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -0.0, 1e-320, 1e308, float("nan"), float("inf"), "", "0",
    "NaN", "inf", "1e400", "-1", "9" * 400, "9" * 5_000, "1" * 4_000 + "d", "1" * 20 + "d", "٣m", "1\u00a0m", "é",
    "\ud83d", "\x00", "a" * 300, "a" * 20_000, "* * * * *", "0 0 31 2 *", "0 0 29 2 *", "59 23 31 12 6#5",
    "*/1,*/2 */3 L * *", "0-59/7 0-23/5 1-31/3 1-12 0-7", ",".join(["0"] * 5_000) + " 0 * * *", "100%/1ms",
    "0.0000001%/1m", "1%", "99.99999999999999999%", "Mars/Olympus", "../../etc/passwd", "9999-12-31", "0001-01-01",
    "2026-02-30", "https://[::1", "127.0.0.1:99999", [], {}, [[]], {"a": {}}, ["x"] * 1_000, {"": ""}, {"demo": {}},
    {"kafka": {"connection": "main"}},
)  # fmt: skip


def damaged(chance: random.Random) -> bytes:
    """A file of settings and a policy or two, with some faults or now and then with none."""
    documents = [copy.deepcopy(SETTINGS), *map(_named, ("web", "api")[: chance.choice((1, 1, 2))])]
    for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
        chance.choice(FAULTS)(chance, chance.choice(documents))
    whole = _written(chance, documents)
    for _ in range(chance.choice((0, 0, 0, 0, 1, 2))):
        whole = damage.data(chance, whole) if chance.random() < 0.5 else _changed(chance, whole)
    return whole if chance.random() < 0.99 else chance.choice(BOMBS)


def one_fault_each() -> Iterator[bytes]:
    """Every field of settings and of a policy with every strange value."""
    for kind, place in [
        *((0, place) for place in _paths(SETTINGS)),
        *((1, place) for place in _paths(POLICY)),
    ]:
        for value in STRANGE:
            documents = [copy.deepcopy(SETTINGS), copy.deepcopy(POLICY)]
            holder, key = list(places(documents[kind]))[place]
            holder[key] = copy.deepcopy(value)
            yield _as_json(documents)


def _paths(document: Any) -> range:
    return range(sum(1 for _ in places(document)))


def _as_json(documents: list[Any]) -> bytes:
    return b"\n---\n".join(json.dumps(one).encode() for one in documents)


def _named(name: str) -> dict[str, Any]:
    policy = copy.deepcopy(POLICY)
    policy["metadata"]["name"] = policy["spec"]["targetRef"]["name"] = name
    return policy


def _written(chance: random.Random, documents: list[Any]) -> bytes:
    try:
        if chance.random() < 0.5:
            return _as_json(documents)
        return str(yaml.dump_all(documents, Dumper=yaml.CSafeDumper, allow_unicode=True)).encode(
            errors="surrogatepass"
        )
    except ValueError:  # a number of more digits than Python writes
        return b"{}"


def _changed(chance: random.Random, whole: bytes) -> bytes:
    return damage.text(chance, whole.decode(errors="replace")).encode(errors="surrogatepass")


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with every key in it."""
    keys = (
        list(document)
        if isinstance(document, dict)
        else range(len(document))
        if isinstance(document, list)
        else ()
    )
    for key in keys:
        yield document, key
        yield from places(document[key])


def _place(chance: random.Random, document: Any) -> tuple[Any, Any]:
    found = list(places(document))
    return chance.choice(found) if found else ({"": ""}, "")


def _value(chance: random.Random, document: Any) -> None:
    holder, key = _place(chance, document)
    holder[key] = copy.deepcopy(chance.choice(STRANGE))


def _text(chance: random.Random, document: Any) -> None:
    holder, key = _place(chance, document)
    holder[key] = damage.text(chance, str(holder[key])[:1_000])


def _moved(chance: random.Random, document: Any) -> None:
    (holder, key), (source, other) = _place(chance, document), _place(chance, document)
    holder[key] = copy.deepcopy(source[other])


def _key(chance: random.Random, document: Any) -> None:
    holder, key = _place(chance, document)
    if isinstance(holder, dict):
        holder[chance.choice((damage.text(chance, str(key)), *STRANGE[:12]))] = holder.pop(key)


def _dropped(chance: random.Random, document: Any) -> None:
    holder, key = _place(chance, document)
    del holder[key]


def _many(chance: random.Random, document: Any) -> None:
    holder, key = _place(chance, document)
    holder[key] = [holder[key]] * chance.choice((2, 17, 101))


def _deep(chance: random.Random, document: Any) -> None:
    holder, key = _place(chance, document)
    for _ in range(chance.choice((5, 50, 150))):
        holder[key] = [holder[key]] if chance.random() < 0.5 else {"a": holder[key]}


FAULTS = (_value, _value, _value, _text, _text, _moved, _key, _dropped, _many, _deep)

_LAUGHS = "\n".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" if n else "a0: &a0 [ha,ha]" for n in range(12)
)
_IN_SOURCE = json.dumps(POLICY).encode().replace(b'{"demo": {"load": "tide"}}', b'{"demo": *a11}')
_MANY_FAULTS = json.dumps(POLICY | {"spec": {"schedules": [{}] * 3_000, "signals": [{}] * 17}}).encode()
BOMBS = (
    _MANY_FAULTS,
    _LAUGHS.encode(),
    _LAUGHS.encode() + b"\nkind: ScalingPolicy\nspec: {holidays: *a11}",
    _LAUGHS.encode() + b"\nkind: Settings\ntick: *a11",
    _LAUGHS.encode() + b"\n" + _IN_SOURCE[1:-1].replace(b', "spec"', b'\n"spec"').replace(b', "', b'\n"', 2),
    b"kind: Settings\ntick: &a [*a]",
    b"kind: ScalingPolicy\nspec: &a {spec: *a, signals: [*a]}",
    b"kind: &a [*a, *a]",
    b"&a {*a : 1}",
    b"[" * 5_000,
    b"kind: " + b"[" * 5_000 + b"]" * 5_000,
    b"{" * 2_000,
    b"- " * 2_000 + b"x",
    b"kind: {a: " * 900,
    b"? " * 1_000,
    b"tick: " + b"9" * 10_000,
    b"tick: 0x" + b"f" * 100_000,
    b"tick: " + b"1:" * 5_000 + b"1",
    b"tick: 1" + b"0" * 100 + b".5e+" + b"9" * 100,
    b"tick: 2026-13-45T99:99:99Z",
    b"<<: [{a: 1}, *b]",
    b"<<: {kind: Settings}\ntick: 1s",
    b"!!python/object/apply:os.system ['true']",
    b"!!binary '####'",
    b"%YAML 9.9\n---\n{}",
    b"\xff\xfe{\x00}\x00",
    b"\x00",
    b"a" * 200_000,
    b"{" + b"a: 1, " * 5_000 + b"}",
    "\n".join(f"k{n}: {n}" for n in range(5_000)).encode(),
    b"---\n" * 5_000 + b"kind: Settings",
)
