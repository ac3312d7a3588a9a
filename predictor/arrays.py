"""The engine's memory: named arrays that grow together along their last axis, the series."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
Known = NDArray[np.bool_]
_FREED_ONCE = 31 << 20  # glibc ignores blocks of 32 MB and more


class Arrays:
    """Named arrays [..., series] with a fill for series that are new."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}
        self._fills: dict[str, NDArray[Any]] = {}
        self.waiting: list[str] = []  # those of origins whose truth is still to come
        self.series = 0

    def declare(
        self, name: str, shape: tuple[int, ...], fill: ArrayLike = 0.0, dtype: str = "float32"
    ) -> None:
        """`fill` is a number or whatever broadcasts to `shape`."""
        if name in self._arrays:
            raise ValueError(f"{name} is declared twice")
        self._arrays[name] = np.empty((*shape, self.series), dtype=dtype)
        self._fills[name] = np.broadcast_to(np.asarray(fill, dtype=dtype), shape)[..., None]
        self._arrays[name][:] = self._fills[name]

    def grow(self, count: int) -> None:
        """Append `count` series in their initial state."""
        for name, array in self._arrays.items():
            new = np.broadcast_to(self._fills[name], (*array.shape[:-1], count))
            self._arrays[name] = np.concatenate([array, new], axis=-1)
        self.series += count

    def __getitem__(self, name: str) -> NDArray[Any]:
        array: NDArray[Any] = self._arrays[name]
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Take over saved arrays. Raises ValueError when they are not of this engine's names and shapes."""
        for name, array in self._arrays.items():
            new = saved.get(name)
            if new is None or new.shape[:-1] != array.shape[:-1] or new.dtype != array.dtype:
                raise ValueError(f"saved state has no fitting array {name}")
        self._arrays = {name: np.ascontiguousarray(saved[name]) for name in self._arrays}
        self.series = next(iter(self._arrays.values())).shape[-1]


def keep_freed_memory() -> None:
    """Make glibc keep what a beat's temporaries free, up to 62 MB, for the next ones.

    By itself it hands it back whenever more is free than twice the largest block that ever was, and each page comes
    back through a fault: a tenth of a beat. Having seen 31 MB freed once, it no longer does (mallopt(3),
    M_TRIM_THRESHOLD). No page of it is touched.
    """
    np.empty(_FREED_ONCE, dtype=np.int8)
