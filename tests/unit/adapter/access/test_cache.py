import asyncio

import pytest

from adapter.access.cache import Cache
from cme.core.clock import ManualClock


class Judge:
    def __init__(self) -> None:
        self.asked, self.answer, self.wait = 0, "yes", asyncio.Event()
        self.wait.set()

    async def ask(self) -> str:
        self.asked += 1
        await self.wait.wait()
        if self.answer == "fault":
            raise RuntimeError("down")
        return self.answer


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(0)


@pytest.fixture
def cache(clock: ManualClock) -> Cache[str]:
    return Cache(clock, lambda value: 1000 if value == "yes" else 10, 2)


async def test_many_who_ask_at_once_wait_for_one_answer(cache: Cache[str]) -> None:
    judge = Judge()
    judge.wait.clear()
    waiting = [asyncio.create_task(cache.get("k", judge.ask)) for _ in range(10)]
    await asyncio.sleep(0)
    judge.wait.set()
    assert await asyncio.gather(*waiting) == ["yes"] * 10
    assert judge.asked == 1


async def test_an_answer_counts_from_when_it_was_asked_for(cache: Cache[str], clock: ManualClock) -> None:
    judge = Judge()
    judge.wait.clear()
    waiting = asyncio.create_task(cache.get("k", judge.ask))
    await asyncio.sleep(0)
    clock.advance(999)
    judge.wait.set()
    assert await waiting == "yes"
    await cache.get("k", judge.ask)
    clock.advance(1)
    await cache.get("k", judge.ask)
    assert judge.asked == 2


async def test_each_answer_is_kept_for_its_own_time(cache: Cache[str], clock: ManualClock) -> None:
    judge = Judge()
    judge.answer = "no"
    assert await cache.get("k", judge.ask) == "no"
    clock.advance(10)
    judge.answer = "yes"
    assert await cache.get("k", judge.ask) == "yes"


async def test_a_failure_is_not_remembered(cache: Cache[str]) -> None:
    judge = Judge()
    judge.answer = "fault"
    with pytest.raises(RuntimeError):
        await cache.get("k", judge.ask)
    judge.answer = "yes"
    assert await cache.get("k", judge.ask) == "yes"


async def test_a_failure_leaves_nothing_in_memory(cache: Cache[str]) -> None:
    judge = Judge()
    judge.answer = "fault"
    for asked in (1, 2):
        with pytest.raises(RuntimeError):
            await cache.get("k", judge.ask)
        await asyncio.sleep(0)
        assert (judge.asked, len(cache)) == (asked, 0)


async def test_one_who_goes_away_leaves_the_answer_to_the_others(cache: Cache[str]) -> None:
    judge = Judge()
    judge.wait.clear()
    gone, stays = (asyncio.create_task(cache.get("k", judge.ask)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    judge.wait.set()
    assert await stays == "yes"


async def test_the_least_recently_asked_is_forgotten_first(cache: Cache[str]) -> None:
    judge = Judge()
    for key in ("a", "b", "a", "c", "a"):
        await cache.get(key, judge.ask)
    assert judge.asked == 3
    await cache.get("b", judge.ask)
    assert judge.asked == 4


async def test_what_was_asked_for_before_it_was_cleared_is_not_remembered(cache: Cache[str]) -> None:
    """Who is trusted may have changed since."""
    judge = Judge()
    judge.wait.clear()
    waiting = asyncio.create_task(cache.get("k", judge.ask))
    await asyncio.sleep(0)
    cache.clear()
    judge.wait.set()
    assert await waiting == "yes"
    judge.answer = "no"
    assert await cache.get("k", judge.ask) == "no"
