"""The metrics API as an aiohttp application."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version

from aiohttp import web

from adapter.access.gate import Gate
from adapter.answers import Answers, NotServed
from adapter.api import custom, discovery, external
from adapter.api.paths import VERSIONS, ExternalMetric, ObjectMetric, ResourceList, read_path, require_json
from adapter.api.status import ApiError, Json, status
from adapter.measured import measured
from adapter.view import View
from cme.runtime.telemetry import AdapterTelemetry

log = logging.getLogger("tidecast.adapter")

HEALTH = ("/healthz", "/livez", "/readyz")
"""Open to everybody: the kubelet brings no identity. Never dependent on the age of data, see `readyz`."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MetricsApi:
    """Answers from the view, to whom the gate lets pass; without a gate (on a loopback address) to everybody."""

    def __init__(self, view: View, answers: Answers, gate: Gate | None, telemetry: AdapterTelemetry) -> None:
        self._view, self._answers, self._gate = view, answers, gate
        self.app = web.Application(middlewares=[measured("metrics", telemetry), self._guard])
        self.app.router.add_route("*", "/{path:.*}", self._answer)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every fault becomes a Status, never a page of HTML or a number."""
        try:
            return await handler(request)
        except (ApiError, NotServed) as error:
            return _json(status(error.code, str(error)), error.code)
        except web.HTTPException as error:  # of aiohttp's own: its router takes no path with a line break
            return _json(status(error.status, error.reason), error.status)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return _json(status(500, "tidecast failed to answer; its log says why"), 500)

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path
        if path in HEALTH:
            return self._health(path)
        if self._gate is not None:
            await self._gate.admit(request)
        if request.method != "GET":
            raise ApiError(405, f"{request.method} is not allowed; metrics can only be read")
        require_json(request.headers)
        return _json(self._body(path.rstrip("/"), request))

    def _health(self, path: str) -> web.Response:
        """Ready once the log was read: an adapter that turned unready with old data would take discovery down."""
        waiting = path == "/readyz" and not self._view.ready
        return web.Response(text="the log is being read" if waiting else "ok", status=503 if waiting else 200)

    def _body(self, path: str, request: web.Request) -> Json:
        match read_path(path):
            case None:
                return _fixed(path)
            case ResourceList(group, number):
                return discovery.resources(group, number, self._view)
            case asked:
                return self._metric(asked, request.query)

    def _metric(self, asked: ObjectMetric | ExternalMetric, query: Mapping[str, str]) -> Json:
        try:
            if isinstance(asked, ObjectMetric):
                return custom.answer(asked, query, self._view, self._answers)
            return external.answer(asked, query, self._view, self._answers)
        except ApiError as error:
            if error.code in (404, 503):  # what has not been read yet may have it
                self._answers.require_ready()
            raise


def _fixed(path: str) -> Json:
    """Documents that never change. Raises ApiError 404."""
    if path == "/apis":
        return discovery.groups()
    if path.removeprefix("/apis/") in VERSIONS:
        return discovery.group(path.removeprefix("/apis/"))
    number = version("tidecast")
    if path == "/openapi/v2":
        return {"swagger": "2.0", "info": {"title": "tidecast", "version": number}, "paths": {}}
    if path == "/openapi/v3":
        return {"paths": {}}
    if path == "/version":
        major, minor, _ = number.split(".", 2)
        return {"major": major, "minor": minor, "gitVersion": f"v{number}"}
    raise ApiError(404, "the server could not find the requested resource")


def _json(body: Json, code: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body), status=code, content_type="application/json")
