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
    async def read(self, now_ms: int) -> Harvest:
        """Everything the source has to say now. Raises SourceFailed; the caller bounds the time.

        Must be safe to cancel. A part that fails belongs into the harvest's `expected` and `failures`.
        """

    async def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class SourceKind:
    """`spec` validates what stands under the kind's key in a policy; `open` makes the source of it.

    Two signals with the same kind, spec and namespace share one source, hence one read a tick.
    A spec with a field `connection` names one of the settings' connections, which `open` then gets.
    """

    name: str
    spec: type[BaseModel]
    open: Callable[[Any, Any], Source]


Registry = Mapping[str, SourceKind]
