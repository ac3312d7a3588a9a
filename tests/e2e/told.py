"""A number that the test sets, measured by tidecast as any other: a scrape target in Prometheus' text format."""

import contextlib
import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.e2e.components.kube import Json


class Told:
    """The load of some workloads, the same for all; it is measured at the next tick."""

    def __init__(self, workloads: Sequence[str], load: float) -> None:
        self.port = 0
        self._workloads = workloads
        self._told = [(time.monotonic(), load)]

    def tell(self, load: float) -> None:
        self._told.append((time.monotonic(), load))

    @property
    def load(self) -> float:
        return self._told[-1][1]

    def within(self, seconds: float) -> set[float]:
        """All loads that were true at some time within the last so many seconds."""
        until = [at for at, _ in self._told[1:]] + [math.inf]
        since = time.monotonic() - seconds
        return {load for (_, load), end in zip(self._told, until, strict=True) if end >= since}

    def source(self, workload: str) -> Json:
        """As a policy names it."""
        targets = [f"http://127.0.0.1:{self.port}/metrics"]
        return {"scrape": {"targets": targets, "metric": "load", "labels": {"workload": workload}}}

    def page(self) -> bytes:
        load = self.load
        return "".join(f'load{{workload="{name}"}} {load}\n' for name in self._workloads).encode()


@contextmanager
def told(workloads: Sequence[str], load: float) -> Iterator[Told]:
    made = Told(workloads, load)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = made.page()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(page)))
            with contextlib.suppress(ConnectionError):  # who asked was stopped
                self.end_headers()
                self.wfile.write(page)

        def log_message(self, *message: object) -> None:
            """Nothing: the test's own output is to be read."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
