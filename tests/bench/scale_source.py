"""A Prometheus that costs next to nothing: what a query of `query` is answered with is made up, for all workloads of a namespace
at once. A value's thousandths are the millisecond of its time, which the metrics API tells in whole seconds only."""

import math
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

LABEL = "deployment"
_NAMESPACE = re.compile(r'namespace="([^"]+)"')


def query(namespace: str, signal: str) -> str:
    """Of a signal of all workloads of a namespace."""
    return f'sum by ({LABEL}) (rate({signal}_total{{namespace="{namespace}"}}[1m]))'


class Source:
    """A load goes up and down within ten minutes."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        """`names` are of the workloads, by namespace."""
        self._heads = {
            namespace: [f'{{"metric":{{"{LABEL}":"{name}"}},"value":[' for name in named]
            for namespace, named in names.items()
        }
        self.asked = 0
        """Queries that were answered."""

    def answer(self, text: str, now_ms: int) -> str:
        """To a query of `query`. Raises KeyError for a namespace that is not there."""
        found = _NAMESPACE.search(text)
        heads = self._heads[found[1] if found else ""]
        phase, ms = 2 * math.pi * now_ms / 600_000, now_ms % 1000
        loads = (round(200 + 100 * math.sin(phase + number)) for number in range(len(heads)))
        pair = f'{now_ms / 1000:.3f},"{{}}.{ms:03d}"]}}'
        series = ",".join(
            head + pair.replace("{}", str(load)) for head, load in zip(heads, loads, strict=True)
        )
        return f'{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}'

    @asynccontextmanager
    async def served(self, port: int) -> AsyncIterator[None]:
        """At this port of the loopback."""
        app = web.Application()
        app.add_routes([web.post("/api/v1/query", self._query)])
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
        try:
            yield
        finally:
            await runner.cleanup()

    async def _query(self, request: web.Request) -> web.Response:
        self.asked += 1
        body = self.answer(str((await request.post())["query"]), time.time_ns() // 1_000_000)
        return web.Response(text=body, content_type="application/json")
