"""A model of the cluster: pods that take their time to start, nodes that must come first, a quota."""

from bisect import insort
from dataclasses import dataclass
from math import exp
from statistics import NormalDist

from cme.core.durations import MINUTE_MS

_SPREAD = 0.35
"""Standard deviation of the logarithm of a start's duration: the median is two thirds of the 90th percentile."""
_NORMAL = NormalDist()
_GOLDEN = (5**0.5 - 1) / 2
IDLE_MS = 10 * MINUTE_MS
"""After so long without a pod a node is given back: the Cluster Autoscaler's default."""


@dataclass(frozen=True, slots=True)
class Startup:
    """From a pod's creation until it carries load: lognormal, `p90_ms` being the 90th percentile; 0 is at once."""

    p90_ms: int = MINUTE_MS

    def of(self, number: int) -> int:
        """The duration of the pod of that number. Golden-section steps spread them evenly, and are the same in each run."""
        share = (0.5 + number * _GOLDEN) % 1
        z = _NORMAL.inv_cdf(min(max(share, 1e-6), 1 - 1e-6))
        return round(self.p90_ms * exp(_SPREAD * (z - _NORMAL.inv_cdf(0.9))))


@dataclass(frozen=True, slots=True)
class Nodes:
    """`room` pods fit on a node; a new one takes `delay_ms` to come."""

    room: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Site:
    """What a cluster is like for a workload. `quota`: how many pods the namespace holds."""

    startup: Startup = Startup()
    nodes: Nodes | None = None
    quota: int | None = None


class Cluster:
    """The pods of one workload. What happens is written down in `ready` and `paid`: (time, number from then on)."""

    def __init__(self, site: Site, replicas: int, now_ms: int) -> None:
        self._site, self._born = site, 0
        self._carrying = self.pods = replicas
        self._starting: list[int] = []  # when each carries load, ascending
        self._rooms = _Rooms(site.nodes, replicas, now_ms) if site.nodes else None
        self.ready, self.paid = [(now_ms, replicas)], [(now_ms, replicas)]
        self._now_ms = now_ms

    @property
    def carrying(self) -> int:
        """Pods that carry load now."""
        return self._carrying

    def advance(self, now_ms: int) -> int:
        """Let time pass, in which pods become ready; returns the milliseconds that pods carried load meanwhile."""
        carried = 0
        while self._starting and self._starting[0] <= now_ms:
            at = self._starting.pop(0)
            carried += self._carrying * (at - self._now_ms)
            self._carrying, self._now_ms = self._carrying + 1, at
            self.ready.append((at, self._carrying))
        carried += self._carrying * (now_ms - self._now_ms)
        self._now_ms = now_ms
        return carried

    def scale(self, wanted: int, now_ms: int) -> None:
        """As many pods as are wanted and the quota holds, from now on; time has passed until now."""
        pods = wanted if self._site.quota is None else min(wanted, self._site.quota)
        if pods == self.pods:
            return
        if pods > self.pods:
            self._start(pods, now_ms)
        else:
            self._stop(self.pods - pods, now_ms)
        self.pods = pods
        self.paid.append((now_ms, pods))
        if self._rooms:
            self._rooms.use(pods, now_ms)

    def _start(self, pods: int, now_ms: int) -> None:
        for place in range(self.pods, pods):
            begins = self._rooms.open_ms(place, now_ms) if self._rooms else now_ms
            insort(self._starting, begins + self._site.startup.of(self._born))
            self._born += 1

    def _stop(self, leaving: int, now_ms: int) -> None:
        """Pods that do not carry load yet go first, as with a ReplicaSet; of those the ones that have longest to go."""
        unready = min(leaving, len(self._starting))
        del self._starting[len(self._starting) - unready :]
        if leaving > unready:
            self._carrying -= leaving - unready
            self.ready.append((now_ms, self._carrying))


class _Rooms:
    """Nodes in the order in which pods fill them: since when each is open, and since when it is empty."""

    def __init__(self, nodes: Nodes, pods: int, now_ms: int) -> None:
        self._nodes = nodes
        self._open: list[int] = [now_ms] * -(-pods // nodes.room)
        self._empty: list[int] = []  # of the last ones, the newest first

    def open_ms(self, place: int, now_ms: int) -> int:
        """When the node of the pod of that place lets it begin; one that is not there is ordered now."""
        while place // self._nodes.room >= len(self._open):
            self._open.append(now_ms + self._nodes.delay_ms)
        return max(now_ms, self._open[place // self._nodes.room])

    def use(self, pods: int, now_ms: int) -> None:
        """So many pods are left: empty nodes are given back after a while."""
        unused = max(0, len(self._open) - -(-pods // self._nodes.room))
        del self._empty[unused:]
        self._empty += [now_ms] * (unused - len(self._empty))
        while self._empty and self._empty[0] <= now_ms - IDLE_MS:
            self._empty.pop(0)
            self._open.pop()
