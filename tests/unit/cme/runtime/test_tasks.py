"""Loops that a fault does not end."""

import asyncio
from collections.abc import Callable

import pytest

from cme.core.clock import ManualClock
from cme.log.protocol import LogFailed
from cme.runtime.tasks import every, stop


async def turned(times: int, fail: Callable[[], None]) -> int:
    """Let a turn that fails come so many times; returns the faults counted."""
    clock, done, faults = ManualClock(0), asyncio.Semaphore(0), 0

    async def turn() -> None:
        done.release()
        fail()

    def count() -> None:
        nonlocal faults
        faults += 1

    loop = asyncio.create_task(every(200, clock, turn, count))
    for _ in range(times):
        await done.acquire()
        await asyncio.sleep(0)
        clock.advance(200)
    await stop(loop)
    return faults


def full() -> None:
    raise LogFailed("the disk is full; free space")


def broken() -> None:
    raise KeyError("a bug")


@pytest.mark.parametrize("fail", [full, broken])
async def test_a_fault_is_counted_and_the_next_turn_comes(fail: Callable[[], None]) -> None:
    assert await turned(3, fail) == 3


async def test_what_a_person_can_mend_is_told_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    await turned(1, full)
    assert "the disk is full; free space; turned.<locals>.turn runs again in 200 ms" in caplog.text
    assert "Traceback" not in caplog.text


async def test_of_a_bug_all_is_told(caplog: pytest.LogCaptureFixture) -> None:
    await turned(1, broken)
    assert "Traceback" in caplog.text
    assert "turned.<locals>.turn failed; it runs again in 200 ms" in caplog.text
