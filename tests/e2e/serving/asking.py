"""A load of questions whose right answers are known, on kept connections: directly and through the aggregator."""

import http.client
import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cme.core.quantity import parse_quantity
from tests.e2e.components.control_plane import HPA
from tests.e2e.serving.stage import Scene
from tests.e2e.told import Told

TIMEOUT_S = 5
PAUSE_S = 0.02
"""After an answer that is none."""

RIGHT = "right"
LATE_S = 10
"""How old a number may be: a tick, the age at which it is stale (4 s), and the time of an answer on a busy machine."""


@dataclass
class Asker:
    """Asks one after another until told to end. `answers` by kind: RIGHT, an HTTP status, or an exception's name."""

    address: str
    context: ssl.SSLContext
    headers: Mapping[str, str]
    paths: Sequence[str]
    told: Told
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    """What answers said that were none."""

    _connection: http.client.HTTPSConnection | None = None

    def run(self, ending: threading.Event) -> None:
        while not ending.is_set():
            for path in self.paths:
                kind = self._kind(path)
                self.answers[kind] += 1
                if kind != RIGHT:
                    ending.wait(PAUSE_S)
        self._hang_up()

    @property
    def failed(self) -> int:
        return self.answers.total() - self.answers[RIGHT]

    @property
    def statuses(self) -> set[str]:
        """HTTP statuses of errors."""
        return {kind for kind in self.answers if kind.isdigit()}

    def _kind(self, path: str) -> str:
        try:
            status, body = self._ask(path)
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()  # the next question opens another one
            return type(error).__name__
        if status != 200:
            self.refusals[body.decode(errors="replace").strip()] += 1
            return str(status)
        items = json.loads(body)["items"]
        if not self._is_right([parse_quantity(item["value"]) for item in items]):
            self.wrong.append(f"{path}: {items}, though {self.told.within(LATE_S)} was told")
        return RIGHT

    def _is_right(self, shares: Sequence[int]) -> bool:
        """Each of several pods' shares may have lost a part of a milli-unit."""
        loads = self.told.within(LATE_S)
        return any(0 <= round(load * 1000) - sum(shares) < len(shares) for load in loads)

    def _ask(self, path: str) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                self.address, timeout=TIMEOUT_S, context=self.context
            )
        self._connection.request("GET", path, headers=dict(self.headers))
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@dataclass(frozen=True)
class Asking:
    direct: Asker
    aggregated: Asker

    def seen(self) -> int:
        """Right answers of the slower of the two."""
        return min(one.answers[RIGHT] for one in (self.direct, self.aggregated))


@contextmanager
def asking(scene: Scene) -> Iterator[Asking]:
    """Asks for as long as the block lasts. Raises AssertionError for a wrong number."""
    paths = [one.path for one in scene.hpas.values()]
    front_proxy = scene.tidecast.context(scene.plane.front_proxy.issue("front-proxy-client"))
    made = Asking(
        Asker(scene.tidecast.address, front_proxy, {"X-Remote-User": HPA}, paths, scene.told),
        Asker(urlsplit(scene.plane.kube.address).netloc, scene.plane.kube.context, {}, paths, scene.told),
    )
    ending = threading.Event()
    threads = [threading.Thread(target=one.run, args=[ending]) for one in (made.direct, made.aggregated)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert not [*made.direct.wrong, *made.aggregated.wrong]
