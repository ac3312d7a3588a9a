"""The metrics API: from a request to its answer."""

import json
import logging
import re
import time
from collections.abc import Mapping

from adapter.access.gate import Gate
from adapter.answers import Answers, NotServed
from adapter.api import custom, external
from adapter.api.documents import Document, Documents
from adapter.api.messages import TEXT, Request, Response
from adapter.api.negotiation import negotiate
from adapter.api.paths import MAX_PATH, ExternalMetric, ObjectMetric, read_path
from adapter.api.readiness import Readiness
from adapter.api.status import ApiError, Json, status
from adapter.measured import Measured
from adapter.view import View
from cme.runtime.telemetry import AdapterTelemetry

log = logging.getLogger("tidecast.adapter")

HEALTH = ("/healthz", "/livez", "/readyz")
"""Open to everybody: the kubelet brings no identity."""

_TAG = re.compile(r'"([^"]*)"')
"""An entity tag of If-None-Match, weak or not (RFC 9110, 8.8.3)."""


class MetricsApi:
    """Answers from the view, to whom the gate lets pass; without a gate (on a loopback address) to everybody."""

    def __init__(
        self,
        view: View,
        answers: Answers,
        gate: Gate | None,
        telemetry: AdapterTelemetry,
        readiness: Readiness,
    ) -> None:
        self._view, self._answers, self._gate, self._readiness = view, answers, gate, readiness
        self._documents, self._measured = Documents(view), Measured("metrics", telemetry)

    async def answer(self, request: Request) -> Response:
        """Every fault becomes a Status, never a page of HTML or a number."""
        start, code = time.perf_counter(), 500
        try:
            response = await self._answer(request)
            code = response.code
            return response
        except (ApiError, NotServed) as error:
            code = error.code
            return _json(status(code, str(error)), code)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return _json(status(500, "tidecast failed to answer; its log says why"), 500)
        finally:
            self._measured.count(start, code)

    async def _answer(self, request: Request) -> Response:
        if request.path in HEALTH:
            return self._health(request.path)
        if len(request.path) > MAX_PATH:  # before anything remembers it
            raise ApiError(400, f"the path is longer than {MAX_PATH} characters, which no metric's is")
        if self._gate is not None:
            await self._gate.admit(request)
            request.admitted = True
        if request.method != "GET":
            raise ApiError(405, f"{request.method} is not allowed; metrics can only be read")
        return self._respond(request)

    def _health(self, path: str) -> Response:
        lacking = self._readiness.lacking if path == "/readyz" else ""
        return Response(503, lacking.encode(), TEXT) if lacking else Response(200, b"ok", TEXT)

    def _respond(self, request: Request) -> Response:
        path, accept = request.path.rstrip("/"), request.headers.get("Accept", "")
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


def _document(document: Document, request: Request) -> Response:
    """With what a client or a proxy needs to keep it: a 304 while it has the same, and for ever by its own hash."""
    kept = request.query.get("hash") == document.etag
    headers = {
        "ETag": f'"{document.etag}"',
        "Vary": "Accept",
        "Cache-Control": "public, immutable, max-age=31536000" if kept else "no-cache, private",
    }
    held = request.headers.get("If-None-Match", "")
    if held == "*" or document.etag in _TAG.findall(held):
        return Response(304, b"", headers=headers)
    return Response(200, document.body, document.content_type, headers)


def _json(body: Json, code: int = 200) -> Response:
    return Response(code, json.dumps(body).encode())
