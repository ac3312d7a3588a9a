"""Which partitions a process works on: as the group says, anew after an error, and none when it ends."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from prometheus_client import CollectorRegistry

from adapter.allinone.shares import Loops, Shares
from cme.core.clock import ManualClock
from cme.log.protocol import LogFailed
from cme.runtime.tasks import stop
from cme.runtime.telemetry import RoleTelemetry


class Group:
    """Says what the test says."""

    def __init__(self) -> None:
        self.ours: frozenset[int] | None = None
        self.error: LogFailed | None = None
        self.looks = 0
        self.left = False

    def look(self) -> frozenset[int] | None:
        self.looks += 1
        if self.error:
            raise self.error
        return self.ours

    def close(self) -> None:
        self.left = True


class Stage:
    def __init__(self) -> None:
        self.group, self.registry = Group(), CollectorRegistry()
        self.working: set[int] = set()
        self.begun: list[int] = []
        self.fails: set[int] = set()
        self.breaks = asyncio.Event()
        self.clock = ManualClock(0)
        telemetry = RoleTelemetry(self.registry)
        self.shares = Shares("predictor", self.group, self._begin, self.clock, telemetry)

    @contextlib.asynccontextmanager
    async def _begin(self, partition: int) -> AsyncIterator[Loops]:
        self.begun.append(partition)
        if partition in self.fails:
            raise LogFailed("it can't be opened")
        self.working.add(partition)
        try:
            yield [self._work()]
        finally:
            self.working.discard(partition)

    async def _work(self) -> None:
        await self.breaks.wait()
        raise RuntimeError("a bug")

    async def until(self, look: Callable[[], bool]) -> None:
        """Time goes on until it is so."""
        async with asyncio.timeout(30):
            while not look():
                self.clock.advance(1_000)
                await asyncio.sleep(0.001)  # threads look at the group

    async def looked(self) -> None:
        """The group has been looked at twice more: what followed from the first look is done."""
        looks = self.group.looks
        await self.until(lambda: self.group.looks >= looks + 2)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    running = asyncio.create_task(made.shares.run())
    yield made
    await stop(running)


async def test_it_works_on_what_is_ours_and_lets_go_of_the_rest(stage: Stage) -> None:
    stage.group.ours = frozenset({0, 2})
    await stage.until(lambda: stage.working == {0, 2})
    assert stage.shares.agreed
    stage.group.ours = frozenset({2, 3})
    await stage.until(lambda: stage.working == {2, 3})
    assert stage.begun == [0, 2, 3]  # what stayed ours was not begun anew
    assert stage.registry.get_sample_value("tidecast_partitions", {"role": "predictor"}) == 2


async def test_while_nothing_can_be_agreed_it_goes_on(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.group.error = LogFailed("no brokers")
    await stage.looked()
    assert not stage.shares.agreed
    stage.group.error, stage.group.ours = None, frozenset({1})
    await stage.until(lambda: stage.working == {1})
    stage.group.error = LogFailed("no brokers")
    caplog.clear()
    await stage.looked()
    assert stage.working == {1}
    assert [record.message for record in caplog.records] == ["no brokers"]  # once


@pytest.mark.parametrize("begins", [True, False], ids=["while it works", "when it begins"])
async def test_work_that_fails_begins_anew(
    stage: Stage, begins: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    if not begins:
        stage.fails = {1}
    stage.group.ours = frozenset({1})
    await stage.until(lambda: 1 in stage.begun)
    if begins:
        stage.breaks.set()
        await stage.until(lambda: not stage.working)
        stage.breaks.clear()
    stage.fails = set()
    await stage.until(lambda: stage.working == {1})
    faults = stage.registry.get_sample_value("tidecast_role_faults_total", {"role": "predictor"})
    assert faults == len(stage.begun) - 1 > 0


async def test_an_end_closes_all_work_before_it_leaves_the_group() -> None:
    stage = Stage()
    running = asyncio.create_task(stage.shares.run())
    stage.group.ours = frozenset({0, 1})
    await stage.until(lambda: stage.working == {0, 1})
    worked: list[set[int]] = []
    stage.group.close = lambda: worked.append(set(stage.working))  # type: ignore[method-assign]
    await stop(running)
    assert worked == [set()]
