import asyncio

from cme.core.clock import ManualClock, SystemClock


async def test_a_manual_clock_wakes_sleepers_in_order() -> None:
    clock, woken = ManualClock(1_000_000), []

    async def sleeper(until: int) -> None:
        await clock.sleep_until(until)
        woken.append(until)

    tasks = [asyncio.create_task(sleeper(t)) for t in (300, 100, 200)]
    await asyncio.sleep(0)
    clock.advance(250)
    await asyncio.gather(*tasks[1:])
    assert woken == [100, 200]
    clock.advance(50)
    await tasks[0]
    assert clock.now_ms() == 1_000_300


async def test_a_step_of_the_wall_clock_moves_no_age() -> None:
    clock = ManualClock(1_000_000)
    clock.step_wall(-500_000)
    assert (clock.now_ms(), clock.monotonic_ms()) == (500_000, 0)


async def test_the_system_clock_never_wakes_early() -> None:
    clock = SystemClock()
    start = clock.monotonic_ms()
    await clock.sleep_until(start + 5)
    assert clock.monotonic_ms() >= start + 5
