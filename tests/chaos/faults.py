"""What is done to a process, by its name in a wiring. A fault returns when it is over, a kill at once."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cme.core.durations import HOUR_MS
from tests.chaos.wirings import Wiring

SECONDS = 30.0
"""For so long a fault lasts."""
OUTAGE_SECONDS = 60.0
"""For so long a broker is gone."""


@dataclass(frozen=True)
class Fault:
    name: str
    do: Callable[[Wiring, str], None]
    """Is given the name of the process."""
    faked: bool = False
    """Whether it sets a clock."""
    own_disk: bool = False
    """Whether it is of the log's disk."""
    ends: bool = False
    """Whether it ends the process; no other fault may."""


def kill(wiring: Wiring, name: str) -> None:
    wiring.processes[name].send(signal.SIGKILL)


def suspend(wiring: Wiring, name: str) -> None:
    process = wiring.processes[name]
    process.send(signal.SIGSTOP)
    try:
        time.sleep(SECONDS)
    finally:
        process.send(signal.SIGCONT)


def fill(wiring: Wiring, name: str) -> None:
    assert wiring.disk
    with wiring.disk.full():
        time.sleep(SECONDS)


def kill_and_fill(wiring: Wiring, name: str) -> None:
    """It can't start before there is room."""
    assert wiring.disk
    with wiring.disk.full():
        kill(wiring, name)
        time.sleep(SECONDS)


def make_read_only(wiring: Wiring, name: str) -> None:
    """As a kernel does that has found an error: it can't be undone beneath a process, which is ended before it is."""
    assert wiring.disk
    wiring.disk.fail()
    time.sleep(SECONDS)
    with wiring.processes[name].supervised.held():
        wiring.disk.mend()


def set_clock(ms: int) -> Callable[[Wiring, str], None]:
    return lambda wiring, name: wiring.clocks[name].jump(ms)


def set_clock_for_a_while(ms: int) -> Callable[[Wiring, str], None]:
    def do(wiring: Wiring, name: str) -> None:
        wiring.clocks[name].jump(ms)
        time.sleep(SECONDS)
        wiring.clocks[name].jump(-ms)

    return do


def lose_broker_and_fill(wiring: Wiring, name: str) -> None:
    """What is measured meanwhile waits in memory."""
    assert wiring.disk
    with wiring.disk.full():
        lose_broker(wiring, name)


def lose_broker_and_kill(wiring: Wiring, name: str) -> None:
    """What was measured until then waits on the disk for the next process."""
    with _without_broker(wiring):
        time.sleep(SECONDS)
        kill(wiring, name)
        time.sleep(OUTAGE_SECONDS - SECONDS)


def restart_broker(wiring: Wiring, name: str) -> None:
    assert wiring.broker
    wiring.broker.stop()
    wiring.broker.start()


@contextlib.contextmanager
def _without_broker(wiring: Wiring) -> Iterator[None]:
    assert wiring.broker
    wiring.broker.stop(signal.SIGKILL)
    yield
    wiring.broker.start()


def lose_broker(wiring: Wiring, name: str) -> None:
    with _without_broker(wiring):
        time.sleep(OUTAGE_SECONDS)


def suspend_broker(wiring: Wiring, name: str) -> None:
    assert wiring.broker
    os.kill(wiring.broker.pid, signal.SIGSTOP)
    try:
        time.sleep(SECONDS)
    finally:
        os.kill(wiring.broker.pid, signal.SIGCONT)


RESTART_BROKER = Fault("restarted", restart_broker)
LOSE_BROKER = Fault(f"kill -9, gone for {OUTAGE_SECONDS:g} s", lose_broker)
LOSE_BROKER_AND_FILL = Fault(
    f"broker gone and disk full for {OUTAGE_SECONDS:g} s", lose_broker_and_fill, own_disk=True
)
LOSE_BROKER_AND_KILL = Fault(
    f"broker gone for {OUTAGE_SECONDS:g} s, kill -9 after {SECONDS:g} s", lose_broker_and_kill, ends=True
)
SUSPEND_BROKER = Fault(f"stopped for {SECONDS:g} s", suspend_broker)
KILL = Fault("kill -9", kill, ends=True)
SUSPEND = Fault(f"stopped for {SECONDS:g} s", suspend)
FULL = Fault(f"disk full for {SECONDS:g} s", fill, own_disk=True)
FULL_AT_START = Fault(f"kill -9, disk full for {SECONDS:g} s", kill_and_fill, own_disk=True, ends=True)
READ_ONLY = Fault(f"disk read-only for {SECONDS:g} s", make_read_only, own_disk=True, ends=True)
AHEAD = Fault("clock set an hour on", set_clock(HOUR_MS), faked=True)
BACK = Fault("clock set an hour back", set_clock(-HOUR_MS), faked=True)
A_LITTLE_BACK = Fault("clock set 20 s back", set_clock(-20_500), faked=True)
"""Less than a minute, so that samples from before are the newest until it is where it was; more than `staleAfter`. By half
a tick beside whole ones, so that no time comes twice."""
AHEAD_A_WHILE = Fault(f"clock an hour ahead for {SECONDS:g} s", set_clock_for_a_while(HOUR_MS), faked=True)
BEHIND_A_WHILE = Fault(f"clock an hour behind for {SECONDS:g} s", set_clock_for_a_while(-HOUR_MS), faked=True)
