"""Damaged requests against the metrics API on a real socket, with its gate."""

import gc
import os
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapter.api.protocol import HttpProtocol
from tests.fuzz import BASE_SEED
from tests.fuzz.request_laws import judged
from tests.fuzz.requests import damaged, good
from tests.fuzz.served import Served, serving

AT_ONCE = 100
COUNT = 20_000
GROWTH = 16_000_000
"""Bytes: what a heap may wander once caches are full, in the second half of the requests. In the full counts a leak of
256 bytes a request is more."""


async def fuzz(first: int, count: int, seed: int = BASE_SEED) -> Counter[str]:
    """Requests `first` to `first + count - 1` of the seed: all laws hold, and memory does not grow."""
    tally: Counter[str] = Counter()
    async with serving() as served:
        begun = 0
        for done in range(0, count, AT_ONCE):
            await _round(
                served, [damaged(random.Random(f"{seed}-{first + done + n}")) for n in range(AT_ONCE)], tally
            )
            if done == count // 2:
                begun = resident()
        grown = resident() - begun
    print(dict(tally), f"grown by {grown / 1e6:.1f} MB")
    assert grown < GROWTH
    return tally


async def _round(served: Served, requests: Sequence[bytes], tally: Counter[str]) -> None:
    for request, answer in zip(requests, await served.exchange(requests), strict=True):
        judged(request, answer, tally)
    assert b'"value": "250"' in await served.ask(good()), "no longer serves who asks well"
    await served.is_quiet()


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_damaged_requests_get_documented_answers(caplog: pytest.LogCaptureFixture) -> None:
    tally = await fuzz(0, COUNT)
    assert not caplog.messages, "a client can fill the log"
    kinds = {"200", "304", "400", "401", "403", "404", "405", "406", "503", "health", "no HTTP", "closed"}
    assert set(tally) >= kinds, "else it does not reach what it is to try"


async def test_who_hangs_up_amid_a_body_is_forgotten() -> None:
    """The parser holds its connection, and half a body holds both."""
    half = good().replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\nhalf")
    async with serving() as served:
        assert all(b" 200 OK" in answer for answer in await served.exchange([half] * 50))
        await served.is_quiet()
        gc.collect()
        assert sum(type(one) is HttpProtocol for one in gc.get_objects()) < 10
