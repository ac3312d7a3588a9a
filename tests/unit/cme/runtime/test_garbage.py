"""What is held is left alone, and found once it is garbage."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from cme.runtime.garbage import settle


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
