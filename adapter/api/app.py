"""The metrics API as an aiohttp application."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from adapter.access.gate import Gate
from adapter.answers import Answers, NotServed
from adapter.api import custom, external
from adapter.api.connections import ADMITTED
from adapter.api.documents import Document, Documents
from adapter.api.negotiation import JSON, negotiate
from adapter.api.paths import MAX_PATH, ExternalMetric, ObjectMetric, read_path
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
        self._documents = Documents(view)
        self.app = web.Application(middlewares=[measured("metrics", telemetry), self._guard])
        self.app.router.add_route("*", "/{path:.*}", self._answer, expect_handler=_no_body_wanted)

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
        if len(path) > MAX_PATH:  # before anything remembers it
            raise ApiError(400, f"the path is longer than {MAX_PATH} characters, which no metric's is")
        if self._gate is not None:
            await self._gate.admit(request)
            request[ADMITTED] = True
        if request.method != "GET":
            raise ApiError(405, f"{request.method} is not allowed; metrics can only be read")
        return self._respond(path.rstrip("/"), request)

    def _health(self, path: str) -> web.Response:
        """Ready once the log was read: an adapter that turned unready with old data would take discovery down."""
        waiting = path == "/readyz" and not self._view.ready
        return web.Response(text="the log is being read" if waiting else "ok", status=503 if waiting else 200)

    def _respond(self, path: str, request: web.Request) -> web.Response:
        accept = request.headers.get("Accept", "")
        if asked := read_path(path):
            negotiate(accept)
            return _json(self._metric(asked, request.query))
        return _document(self._documents.find(path, accept), request)

    def _metric(self, asked: ObjectMetric | ExternalMetric, query: Mapping[str, str]) -> Json:
        try:
            if isinstance(asked, ObjectMetric):
                return custom.answer(asked, query, self._view, self._answers)
            return external.answer(asked, query, self._view, self._answers)
        except ApiError as error:
            if error.code in (404, 503):  # what has not been read yet may have it
                self._answers.require_ready()
            raise


async def _no_body_wanted(request: web.Request) -> None:
    """To `Expect: 100-continue` the answer itself comes at once: no body is ever read (RFC 9110, 10.1.1)."""


def _document(document: Document, request: web.Request) -> web.Response:
    """With what a client or a proxy needs to keep it: a 304 while it has the same, and for ever by its own hash."""
    kept = request.query.get("hash") == document.etag
    headers = {
        "ETag": f'"{document.etag}"',
        "Vary": "Accept",
        "Cache-Control": "public, immutable, max-age=31536000" if kept else "no-cache, private",
    }
    if any(tag.value in (document.etag, "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=document.body, headers=headers | {"Content-Type": document.content_type})


def _json(body: Json, code: int = 200) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=code, content_type=JSON)
