"""What is held is left alone, and found once it is garbage."""

import gc
import os
import platform
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from cme.runtime.garbage import settle
from tests.bench.machine import resident_mib


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


class Ring:
    """Refers to itself: only a collection finds that it is garbage."""

    def __init__(self) -> None:
        self.own = self


async def test_what_is_held_is_not_looked_at_by_later_collections() -> None:
    ring = Ring()
    await settle()
    seen = weakref.ref(ring)
    del ring
    gc.collect()
    assert seen() is not None


async def test_what_became_garbage_since_is_collected_the_next_time() -> None:
    ring = Ring()
    await settle()
    seen = weakref.ref(ring)
    del ring
    await settle()
    assert seen() is None


BLOCK, BLOCKS = 100_000, 2_000
"""Of bytes; so small that the C library does not give each back by itself."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps it")
async def test_memory_that_lies_between_what_is_held_is_given_back() -> None:
    blocks = [np.ones(BLOCK, dtype=np.uint8) for _ in range(BLOCKS)]
    full = resident_mib(os.getpid())
    held = blocks[::20]
    del blocks
    await settle()
    assert len(held) == BLOCKS / 20
    assert full - resident_mib(os.getpid()) > 0.75 * BLOCK * BLOCKS / 2**20
