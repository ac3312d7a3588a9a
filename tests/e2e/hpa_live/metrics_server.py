"""Our server of all three metrics APIs: it draws an answer to each request, and remembers it."""

import asyncio
import re
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from random import Random

from aiohttp import web

from adapter.hpa.observation import Reading, Unavailable
from tests.e2e.components.certificates import KeyPair
from tests.e2e.components.control_plane import LOCAL
from tests.e2e.components.kube import Json
from tests.e2e.components.ports import free_ports
from tests.e2e.hpa_differential.draws import Draws
from tests.e2e.hpa_live import generator, wire
from tests.e2e.hpa_live.workload import Workload

FAILURES = (HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class Answer:
    workload: str
    index: int
    """Of the metric in the HPA's spec."""
    reading: Reading
    asked_ms: float
    answered_ms: float
    """Since the epoch; the answer left no earlier than this."""


class MetricsServer:
    """What it answers is the business of the workloads that it is told of."""

    def __init__(self, seed: int) -> None:
        self._draws = Draws(Random(seed))
        self._workloads: dict[str, Workload] = {}
        self._answers: list[Answer] = []

    def answer_for(self, workloads: Iterable[Workload]) -> list[Answer]:
        """From now on, and for no others; the list grows with each answer."""
        self._workloads, self._answers = {one.name: one for one in workloads}, []
        return self._answers

    async def handle(self, request: web.Request) -> web.Response:
        """A metric, or that there are metrics."""
        asked_ms = time.time() * 1000
        if re.fullmatch(r"/apis/[^/]+/[^/]+", request.path):
            return web.json_response(_discovery(request.path.removeprefix("/apis/")))
        found = self._asked(request)
        if found is None:
            return _failure(HTTPStatus.NOT_FOUND)
        workload, index = found
        reading = generator.reading(self._draws, workload, index, int(asked_ms))
        if isinstance(reading, Unavailable):
            answer = _failure(self._draws.random.choice(FAILURES))
        else:
            answer = web.json_response(wire.body(workload.metrics[index], reading))
        self._answers.append(Answer(workload.name, index, reading, asked_ms, time.time() * 1000))
        return answer

    def _asked(self, request: web.Request) -> tuple[Workload, int] | None:
        """Whose metric it is, by its name or else by the pods' label."""
        selector = request.query.get("labelSelector", "")
        if request.path.startswith(f"/apis/{wire.RESOURCES}/"):
            workload = self._workloads.get(selector.removeprefix("app="))
            index = workload.of_resources if workload else None
        else:
            name, _, number = request.path.rpartition("/")[2].partition("-")
            workload, index = self._workloads.get(name), int(number) if number.isdigit() else None
        return (workload, index) if workload and index is not None else None


def _discovery(version: str) -> Json:
    pods = {
        "name": "pods",
        "singularName": "",
        "namespaced": True,
        "kind": "PodMetrics",
        "verbs": ["get", "list"],
    }
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": version,
        "resources": [pods] if version == wire.RESOURCES else [],
    }


def _failure(status: HTTPStatus) -> web.Response:
    """Without Retry-After, at which client-go would ask again."""
    told = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": status.value,
        "message": status.phrase,
    }
    return web.json_response(told, status=status.value)


@contextmanager
def serving(server: MetricsServer, pair: KeyPair) -> Iterator[int]:
    """The port at which it answers within the block, in a thread of its own."""
    (port,) = free_ports(1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/{path:.*}", server.handle)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, LOCAL, port, ssl_context=context).start()
        return runner

    try:
        runner = asyncio.run_coroutine_threadsafe(start(), loop).result()
        yield port
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
