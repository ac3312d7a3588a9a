"""The door to Kubernetes, against a server on loopback."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from cme.core.errors import KubeFailed, KubeGone
from cme.core.settings import Kubernetes
from cme.kube import KubeClient
from tests.contract.source_web import Web, web_server

JSON = "application/json"


def kubeconfig(folder: Path, server: str, **user: str) -> Kubernetes:
    path = folder / "kubeconfig"
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "c",
                "contexts": [context],
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": user}],
            }
        )
    )
    return Kubernetes(kubeconfig=path)


async def got(web: Web, folder: Path, path: str = "/api/v1/pods?labelSelector=a%3Db") -> Mapping[str, Any]:
    client = KubeClient(kubeconfig(folder, web.url, token="secret"))
    try:
        return await asyncio.to_thread(client.get, path)
    finally:
        client.close()


async def test_the_answer_is_raw_json(tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(b'{"items": [{"spec": {"unknownToUs": 1}}]}', JSON)
        assert await got(web, tmp_path) == {"items": [{"spec": {"unknownToUs": 1}}]}


async def test_the_token_and_the_query_are_sent(tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(b"{}", JSON)
        await got(web, tmp_path)
        (asked,) = web.asked
    assert asked.startswith(b"GET /api/v1/pods?labelSelector=a%3Db HTTP/1.1")
    assert b"authorization: bearer secret" in asked.lower()


async def test_a_refusal_is_an_error_in_the_servers_words(tmp_path: Path) -> None:
    status = {"kind": "Status", "code": 403, "message": "pods is forbidden"}
    async with web_server() as web:
        web.answers(json.dumps(status).encode(), JSON, 403)
        with pytest.raises(KubeFailed, match="GET /api/v1/pods: pods is forbidden"):
            await got(web, tmp_path, "/api/v1/pods")


async def test_what_is_applied_is_named_and_takes_no_field_of_another_manager(tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(b'{"metadata": {}}', JSON, 201)
        client = KubeClient(kubeconfig(tmp_path, web.url))
        assert await asyncio.to_thread(client.apply, "/api/v1/nodes/n", {"kind": "Node"}, "us") == {
            "metadata": {}
        }
        client.close()
        (asked,) = web.asked
    assert asked.startswith(b"PATCH /api/v1/nodes/n?fieldManager=us HTTP/1.1")
    assert b"content-type: application/apply-patch+yaml" in asked.lower()
    assert b"force" not in asked


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]"])
async def test_what_is_no_json_object_is_an_error(body: bytes, tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(body, JSON)
        with pytest.raises(KubeFailed, match="GET /api/v1/pods: "):
            await got(web, tmp_path, "/api/v1/pods")


async def test_what_the_aggregator_says_in_plain_text_is_repeated(tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(b"error trying to reach service: x509: unknown\n", "text/plain", 503)
        with pytest.raises(
            KubeFailed, match="503, and no JSON object: error trying to reach service: x509: unknown"
        ):
            await got(web, tmp_path, "/apis/custom.metrics.k8s.io/v1beta2")


async def test_the_server_s_time_is_the_date_of_its_answer(tmp_path: Path) -> None:
    async with web_server() as web:
        web.raw = b"HTTP/1.1 200 X\r\nDate: Sat, 28 Nov 2026 21:00:00 GMT\r\nContent-Length: 2\r\n\r\n{}"
        client = KubeClient(kubeconfig(tmp_path, web.url))
        assert await asyncio.to_thread(client.server_time) == datetime(2026, 11, 28, 21, tzinfo=UTC)
        web.raw = b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}"
        with pytest.raises(KubeFailed, match="GET /version"):
            await asyncio.to_thread(client.server_time)
        client.close()


def test_a_server_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    client = KubeClient(kubeconfig(tmp_path, "http://127.0.0.1:1"))
    with pytest.raises(KubeFailed, match="GET /version: "):
        client.get("/version")
    client.close()


@pytest.mark.parametrize("text", [None, "", "nonsense: ["])
def test_a_kubeconfig_that_is_none_is_refused_with_a_remedy(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    with pytest.raises(KubeFailed, match=r"set kubernetes\.kubeconfig"):
        KubeClient(Kubernetes(kubeconfig=path))


def chunked(*lines: bytes, end: bool) -> bytes:
    """As the API server streams events; without an end the connection breaks off."""
    head = b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return (
        head
        + b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines)
        + (b"0\r\n\r\n" if end else b"")
    )


async def seen(web: Web, folder: Path) -> list[dict[str, Any]]:
    client = KubeClient(kubeconfig(folder, web.url))
    try:
        return await asyncio.to_thread(lambda: list(client.metadata.watch("/api/v1/pods?watch=true", 5)))
    finally:
        client.close()


async def test_a_watch_is_a_line_an_event_however_they_are_cut(tmp_path: Path) -> None:
    async with web_server() as web:
        web.raw = chunked(
            b'{"type": "ADDED", ', b'"object": {}}\n{"type": "DELETED", "object": {}}\n', end=True
        )
        assert [event["type"] for event in await seen(web, tmp_path)] == ["ADDED", "DELETED"]
        (asked,) = web.asked
    assert asked.startswith(b"GET /api/v1/pods?watch=true&timeoutSeconds=5 HTTP/1.1")
    assert b"accept: application/json;as=partialobjectmetadata;" in asked.lower()


@pytest.mark.parametrize("lines", [(), (b'{"type": "ADDED", "object": {}}\n',), (b'{"type": "AD',)])
async def test_a_watch_that_breaks_off_is_an_error(lines: tuple[bytes, ...], tmp_path: Path) -> None:
    async with web_server() as web:
        web.raw = chunked(*lines, end=False)
        with pytest.raises(KubeFailed, match="GET /api/v1/pods: "):
            await seen(web, tmp_path)


@pytest.mark.parametrize("line", [b"<html>\n", b"[1]\n", b"{}\n"])
async def test_what_is_no_event_is_an_error(line: bytes, tmp_path: Path) -> None:
    async with web_server() as web:
        web.raw = chunked(line, end=True)
        with pytest.raises(KubeFailed, match="GET /api/v1/pods: "):
            await seen(web, tmp_path)


@pytest.mark.parametrize("within", [True, False])
async def test_a_past_that_is_gone_is_said_as_such(within: bool, tmp_path: Path) -> None:
    status = {"kind": "Status", "code": 410, "message": "too old resource version"}
    async with web_server() as web:
        web.answers(json.dumps(status).encode(), JSON, 410)
        if within:
            web.raw = chunked(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n", end=True)
        with pytest.raises(KubeGone, match="GET /api/v1/pods: too old resource version"):
            await seen(web, tmp_path)


async def test_a_forbidden_watch_is_an_error_in_the_servers_words(tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(json.dumps({"kind": "Status", "message": "pods is forbidden"}).encode(), JSON, 403)
        with pytest.raises(KubeFailed, match="GET /api/v1/pods: pods is forbidden"):
            await seen(web, tmp_path)


async def test_a_watch_ends_when_another_thread_closes_it(tmp_path: Path) -> None:
    async with web_server() as web:
        web.raw = chunked(b'{"type": "ADDED", "object": {}}\n', end=False)
        web.lasting = True
        client = KubeClient(kubeconfig(tmp_path, web.url))
        watch = await asyncio.to_thread(client.watch, "/api/v1/pods?watch=true", 60)
        events = iter(watch)
        assert (await asyncio.to_thread(next, events))["type"] == "ADDED"
        rest = asyncio.create_task(asyncio.to_thread(list, events))
        watch.close()
        assert await asyncio.wait_for(rest, 10) == []
        watch.close()
        client.close()


async def test_a_merge_sends_the_fields_that_change(tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(b'{"status": {"replicas": 3}}', JSON)
        client = KubeClient(kubeconfig(tmp_path, web.url))
        body = {"status": {"replicas": 3}}
        assert await asyncio.to_thread(client.merge, "/apis/x/v1/things/a/status", body) == body
        client.close()
        (asked,) = web.asked
    assert asked.startswith(b"PATCH /apis/x/v1/things/a/status HTTP/1.1")
    assert b"content-type: application/merge-patch+json" in asked.lower()
    assert asked.endswith(b'{"status": {"replicas": 3}}')


async def test_whole_objects_are_watched_unless_metadata_is_asked_for(tmp_path: Path) -> None:
    async with web_server() as web:
        web.raw = chunked(b'{"type": "ADDED", "object": {}}\n', end=True)
        client = KubeClient(kubeconfig(tmp_path, web.url))
        assert len(await asyncio.to_thread(lambda: list(client.watch("/api/v1/pods?watch=true", 5)))) == 1
        client.close()
        (asked,) = web.asked
    assert b"accept: application/json\r\n" in asked.lower()
