"""A page with one counter, as a scraped target has it, that is a known function of time."""

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.chaos.machine import MachineClock

METRIC = "hits_total"
LAG_MS = 500
"""The count is as of so long ago, and says so: a time that is ahead of its reader's would be taken for the reader's own."""
LOW, HIGH = 21.0, 42.0
"""Per second."""


class Counted:
    """Counts at LOW, from `surge` on at HIGH, from `calm` on at LOW again. Its machine's clock is `clock`."""

    def __init__(self, clock: MachineClock) -> None:
        self._clock = clock
        self._rates = [(_real_ms() - 60_000, LOW)]  # since when, which
        self.handed: dict[int, float] = {}
        """What was counted, by the time that was told with it (ms)."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.05), daemon=True)

    def __enter__(self) -> "Counted":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/metrics"

    def surge(self) -> None:
        self._rates.append((_real_ms(), HIGH))

    def calm(self) -> None:
        self._rates.append((_real_ms(), LOW))

    def rates(self, at_ms: int, longest_ms: int) -> Iterator[float]:
        """Per second: all that can be seen over a window up to `longest_ms` whose ends were told."""
        for start_ms, count in list(self.handed.items()):
            if at_ms - longest_ms <= start_ms < at_ms:
                yield (self.handed[at_ms] - count) / (at_ms - start_ms) * 1000

    def _page(self) -> str:
        moment, real_ms = time.monotonic(), _real_ms() - LAG_MS
        # Of a clock that was just set forward the time is as of so long ago, too.
        told_ms = real_ms + min(self._clock.offsets_ms(moment - LAG_MS / 1000, moment))
        self.handed[told_ms] = self._count(real_ms)
        return f"# TYPE {METRIC} counter\n{METRIC} {self.handed[told_ms]!r} {told_ms}\n"

    def _count(self, real_ms: int) -> float:
        ends = [since for since, _ in self._rates[1:]] + [real_ms]
        spans = zip(self._rates, ends, strict=True)
        return sum(rate * max(0, min(end, real_ms) - since) / 1000 for (since, rate), end in spans)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self._page

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = page().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                with contextlib.suppress(ConnectionError):  # who asked may have been killed
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Nothing is said about requests."""

        return Handler


def _real_ms() -> int:
    return time.time_ns() // 1_000_000
