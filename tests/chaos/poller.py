"""Asks an adapter for all metrics four times a second, and keeps what it answers."""

import http.client
import json
import ssl
import threading
import time
from dataclasses import dataclass
from datetime import datetime

from cme.core.quantity import parse_quantity
from tests.run.program import Program

PERIOD_S = 0.25
TIMEOUT_S = 10.0
"""Far more than an answer takes, on a busy machine too."""
METRICS = {
    "web": ("qps", "qps_scaling", "replicas_scaling"),
    "shop": ("hits", "hits_scaling", "replicas_scaling", "hits_predicted"),
}
NOT_AWAITED = ("shop", "hits_predicted")
"""There is no forecast yet in the first minutes."""


@dataclass(frozen=True)
class Answer:
    """To one request; without a `code` there was nobody who answered. Moments are monotonic seconds and real milliseconds."""

    adapter: str
    metric: tuple[str, str]
    """Workload and metric."""
    asked_s: float
    answered_s: float
    asked_ms: int
    answered_ms: int
    code: int = 0
    body: bytes = b""

    @property
    def is_number(self) -> bool:
        return self.code == 200

    @property
    def milli(self) -> int:
        return parse_quantity(self._item["value"])

    @property
    def measured_ms(self) -> int:
        """In whole seconds, rounded down."""
        return int(datetime.fromisoformat(self._item["timestamp"]).timestamp()) * 1000

    @property
    def _item(self) -> dict[str, str]:
        (item,) = json.loads(self.body)["items"]
        return dict(item)


class Poller:
    """While the block runs, in a thread of its own."""

    def __init__(self, name: str, adapter: Program) -> None:
        self._name, self._adapter = name, adapter
        self._context = ssl.create_default_context(cafile=adapter.data / "tls" / "ca.crt")
        self._connection: http.client.HTTPSConnection | None = None
        self.answers: list[Answer] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Poller":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._disconnect()

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD_S):
            for workload, metrics in METRICS.items():
                for metric in metrics:
                    self.answers.append(self._ask(workload, metric))

    def _ask(self, workload: str, metric: str) -> Answer:
        path = f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/demo/deployments.apps/{workload}/{metric}"
        asked_s, asked_ms = time.monotonic(), time.time_ns() // 1_000_000
        try:
            code, body = self._get(path)
        except (OSError, http.client.HTTPException):
            self._disconnect()
            code, body = 0, b""
        return Answer(
            adapter=self._name,
            metric=(workload, metric),
            asked_s=asked_s,
            answered_s=time.monotonic(),
            asked_ms=asked_ms,
            answered_ms=time.time_ns() // 1_000_000,
            code=code,
            body=body,
        )

    def _get(self, path: str) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                "127.0.0.1", self._adapter.https, timeout=TIMEOUT_S, context=self._context
            )
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
