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
_COLUMN = {"in": 0, "out": 8}


class Spec(Document):
    direction: Literal["in", "out"]
    interfaces: tuple[str, ...] = ()
    """All but the loopback when empty."""


class Host:
    def __init__(self, spec: Spec, connection: Connection | None, path: Path = PROC_NET_DEV) -> None:
        self._spec, self._path = spec, path

    async def read(self, now_ms: int) -> Harvest:
        try:
            text = await asyncio.to_thread(self._path.read_text)
        except OSError as error:
            raise SourceFailed(f"{self._path}: {error.strerror}; the host source needs Linux") from None
        counters = parse(text, self._spec.direction)
        wanted = self._spec.interfaces or tuple(name for name in counters if name != "lo")
        missing = [f"this machine has no interface {name}" for name in wanted if name not in counters]
        if len(missing) == len(wanted):
            raise SourceFailed(missing[0] if missing else "this machine has no interface but the loopback")
        readings = [Reading(name, counters[name], now_ms) for name in wanted if name in counters]
        return Harvest(readings, {"": len(wanted)}, missing, counters=True)

    async def close(self) -> None:
        """Nothing is held open."""


def parse(text: str, direction: str) -> dict[str, float]:
    """Bytes by interface. Raises SourceFailed for a text of another form."""
    counters = {}
    for line in text.splitlines()[2:]:
        name, _, numbers = line.partition(":")
        fields = numbers.split()
        if len(fields) < 16 or not fields[_COLUMN[direction]].isdigit():
            raise SourceFailed(f"{PROC_NET_DEV} has a line of unknown form: {line.strip()[:80]!r}")
        counters[name.strip()] = float(fields[_COLUMN[direction]])
    return counters


KIND = SourceKind("host", Spec, Host)
