"""The page, its JSON and /metrics as an aiohttp application."""

import asyncio
from pathlib import Path

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from adapter.answers import Answers
from adapter.explain import Explainer, parse_time
from adapter.measured import measured
from adapter.view import View
from adapter.web import payloads
from cme.core.errors import InvalidInput
from cme.log.protocol import LogFailed
from cme.runtime.telemetry import AdapterTelemetry

STATIC = Path(__file__).parent / "static"
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Page:
    """`ops_url` is where the parent process shows its own metrics; "" for none."""

    def __init__(
        self,
        view: View,
        answers: Answers,
        registry: CollectorRegistry,
        telemetry: AdapterTelemetry,
        ops_url: str,
        explainer: Explainer,
    ) -> None:
        self._view, self._answers, self._registry, self._ops_url = view, answers, registry, ops_url
        self._explainer, self._explaining = explainer, asyncio.Lock()
        self.app = web.Application(middlewares=[measured("page", telemetry)])
        self.app.on_response_prepare.append(_add_headers)
        self.app.add_routes(
            [
                web.get("/", self._index),
                web.static("/static", STATIC),
                web.get("/healthz", self._healthz),
                web.get("/metrics", self._metrics),
                web.get("/api/v1/workloads", self._workloads),
                web.get("/api/v1/history/{namespace}/{resource}/{name}/{signal}", self._history),
                web.get("/api/v1/explain/{namespace}/{name}", self._explain),
                web.get("/api/v1/explain/{namespace}/{kind}/{name}", self._explain),
            ]
        )

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _workloads(self, request: web.Request) -> web.Response:
        return web.json_response(payloads.workloads(self._view, self._answers))

    async def _history(self, request: web.Request) -> web.Response:
        path = request.match_info
        entry = self._view.catalog.find(path["namespace"], path["resource"], path["name"])
        if entry is None or path["signal"] not in entry.signals:
            return web.json_response({"error": "there is no such workload or signal"}, status=404)
        span = request.query.get("span", "6h")
        if span not in ("6h", "28d"):
            return web.json_response({"error": f"span {span!r} must be 6h or 28d"}, status=400)
        return web.json_response(payloads.history(entry, path["signal"], span == "28d", self._view))

    async def _explain(self, request: web.Request) -> web.Response:
        """From the log, in a thread: the view keeps nothing of the past but what the page draws."""
        # The parts of the path, in their order, are those of the name.
        name, now = "/".join(request.match_info.values()), self._view.clock.now_ms()
        try:
            at_ms = parse_time(request.query["at"], "at") if "at" in request.query else now
        except InvalidInput as error:
            return web.json_response({"error": str(error)}, status=400)
        try:
            async with self._explaining:  # a thread for each who asks would slow down the metrics
                found = await asyncio.to_thread(self._explainer.explain, name, at_ms, now)
        except (InvalidInput, LogFailed) as error:
            status = 404 if isinstance(error, InvalidInput) else 503
            return web.json_response({"error": str(error)}, status=status)
        return web.json_response(payloads.explained(found))

    async def _metrics(self, request: web.Request) -> web.Response:
        text = generate_latest(self._registry) + await self._of_parent()
        return web.Response(body=text, content_type="text/plain", charset="utf-8")

    async def _of_parent(self) -> bytes:
        """What collector and predictor say of themselves; nothing while they don't answer."""
        if not self._ops_url:
            return b""
        try:
            timeout = aiohttp.ClientTimeout(total=1)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(self._ops_url) as answer,
            ):
                return await answer.read()
        except (TimeoutError, aiohttp.ClientError):
            return b""


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
