"""A number that the test sets, measured by tidecast as any other: a scrape target in Prometheus' text format."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.e2e.components.kube import Json


class Told:
    """`loads` by workload; what stands there is measured at the next tick."""

    def __init__(self, loads: Mapping[str, float]) -> None:
        self.loads = dict(loads)
        self.port = 0

    def source(self, workload: str) -> Json:
        """As a policy names it."""
        targets = [f"http://127.0.0.1:{self.port}/metrics"]
        return {"scrape": {"targets": targets, "metric": "load", "labels": {"workload": workload}}}

    def page(self) -> bytes:
        return "".join(f'load{{workload="{name}"}} {load}\n' for name, load in self.loads.items()).encode()


@contextmanager
def told(**loads: float) -> Iterator[Told]:
    made = Told(loads)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = made.page()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(page)))
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
