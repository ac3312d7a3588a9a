"""Host: bytes that this machine's network interfaces received or sent, from /proc/net/dev (proc(5)).

Each interface is a part with a counter window of its own, so that one which appears makes no jump.
"""

import asyncio
from pathlib import Path
from typing import Literal

from cme.core.documents import Document
from cme.core.readings import Harvest, Reading
from cme.core.settings import Connection
from cme.sources.protocol import SourceFailed, SourceKind

PROC_NET_DEV = Path("/proc/net/dev")
MAX_BYTES = 4 << 20
_COLUMN = {"in": 0, "out": 8}


class Spec(Document):
    """Bytes per second over network interfaces of this machine."""

    direction: Literal["in", "out"]
    """Received or sent."""
    interfaces: frozenset[str] = frozenset()
    """All but the loopback when empty."""


class Host:
    def __init__(self, spec: Spec, connection: Connection | None, path: Path = PROC_NET_DEV) -> None:
        self._spec, self._path = spec, path

    async def read(self, now_ms: int, timeout_s: float) -> Harvest:
        try:
            text = await asyncio.to_thread(_text_of, self._path)
        except OSError as error:
            raise SourceFailed(f"{self._path}: {error.strerror}; the host source needs Linux") from None
        counters = parse(text, self._spec.direction)
        wanted = sorted(self._spec.interfaces or counters.keys() - {"lo"})
        missing = [f"this machine has no interface {name}" for name in wanted if name not in counters]
        if len(missing) == len(wanted):
            raise SourceFailed(missing[0] if missing else "this machine has no interface but the loopback")
        readings = [Reading(name, counters[name], now_ms) for name in wanted if name in counters]
        return Harvest(readings, {"": len(wanted)}, missing, counters=True)

    async def close(self) -> None:
        """Nothing is held open."""


def _text_of(path: Path) -> str:
    """Latin-1, which no byte offends: an interface may have any name."""
    with path.open(encoding="latin-1") as file:
        return file.read(MAX_BYTES)


def parse(text: str, direction: str) -> dict[str, float]:
    """Bytes by interface. Raises SourceFailed for a text of another form."""
    if not text.endswith("\n"):
        raise SourceFailed(f"{PROC_NET_DEV} is cut off")
    counters: dict[str, float] = {}
    for line in text.split("\n")[2:-1]:
        name, _, numbers = line.partition(":")
        fields = numbers.split()
        # The kernel's counters have 64 bits, hence 20 digits; more would be an infinite float.
        if len(fields) < 16 or not all(f.isascii() and f.isdigit() and len(f) <= 20 for f in fields):
            raise SourceFailed(f"{PROC_NET_DEV} has a line of unknown form for {name.strip()[:40]!r}")
        if counters.setdefault(name.strip(), value := float(fields[_COLUMN[direction]])) != value:
            raise SourceFailed(f"{PROC_NET_DEV} has {name.strip()[:40]!r} twice")
    return counters


KIND = SourceKind("host", Spec, Host)
