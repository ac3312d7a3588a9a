"""Counts and times every request of an API."""

import time
from collections.abc import Awaitable, Callable
from functools import cache

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import Counter

from cme.runtime.telemetry import AdapterTelemetry

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Measured:
    """Requests of `api` by status code."""

    def __init__(self, api: str, telemetry: AdapterTelemetry) -> None:
        self._seconds = telemetry.seconds.labels(api)

        @cache  # a dozen codes
        def counter(code: int) -> Counter:
            return telemetry.requests.labels(api, str(code))

        self._counter = counter
        counter(200)  # there from the start, so that its first rate is not a gap

    def count(self, start: float, code: int) -> None:
        """A request that came at `start`, in seconds of the performance counter."""
        self._seconds.observe(time.perf_counter() - start)
        self._counter(code).inc()


def measured(api: str, telemetry: AdapterTelemetry) -> Middleware:
    """A middleware that counts what an application of aiohttp answers."""
    requests = Measured(api, telemetry)

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
            requests.count(start, code)

    return middleware
