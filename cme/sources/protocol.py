"""The interface of a source, and how one is registered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from cme.core.errors import TidecastError
from cme.core.readings import Harvest


class SourceFailed(TidecastError):
    """A whole read failed; the text says what and where, and stays the same while the cause does."""


class Source(Protocol):
    async def read(self, now_ms: int, timeout_s: float) -> Harvest:
        """Everything the source has to say now. Raises SourceFailed.

        A part that fails, or is silent for `timeout_s`, belongs into the harvest's `expected` and `failures`.
        The caller cancels a read that takes much longer: it must be safe to cancel and to call again.
        """

    async def close(self) -> None:
        """Release connections. A second call does nothing."""


@dataclass(frozen=True, slots=True)
class SourceKind:
    """`spec` validates what stands under the kind's key in a policy; `open` makes the source of it.

    Two signals with the same kind, spec and namespace share one source, hence one read a tick.
    A spec with a field `connection` names one of the settings' connections, which `open` then gets. One whose
    field `workload_label` is set serves many workloads: its readings name theirs.
    """

    name: str
    spec: type[BaseModel]
    open: Callable[[Any, Any], Source]


Registry = Mapping[str, SourceKind]
