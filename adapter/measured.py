"""Counts and times every request of an application."""

import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from cme.runtime.telemetry import AdapterTelemetry

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def measured(api: str, telemetry: AdapterTelemetry) -> Middleware:
    """A middleware that counts requests of `api` by status code."""
    seconds = telemetry.seconds.labels(api)
    telemetry.requests.labels(api, "200")  # there from the start, so that its first rate is not a gap

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        start, code = time.perf_counter(), 500
        try:
            response = await handler(request)
            code = response.status
            return response
        except web.HTTPException as error:
            code = error.status
            raise
        finally:
            seconds.observe(time.perf_counter() - start)
            telemetry.requests.labels(api, str(code)).inc()

    return middleware
