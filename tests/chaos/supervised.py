"""A program that is started again, at once, whenever it ends."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

from tests.e2e.components.waiting import until
from tests.run.program import Program

GONE_SECONDS = 20


class Supervised:
    """While the block runs. What it says through all its lives is in `program.output`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.pids: list[int] = []
        """Of the program's lives."""
        self._allowed, self._stopping = threading.Event(), False
        self._allowed.set()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Supervised":
        self.program.__enter__()
        self.pids.append(self.program.process.pid)
        self._watcher.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping = True
        self._allowed.set()
        self.program.__exit__()
        self._watcher.join()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While the block runs it is not started again; it begins with its end, and its adapter's."""
        self._allowed.clear()
        adapter = self.program.adapter_pid
        self.program.process.kill()
        until("it has ended", lambda: self.program.process.poll() is not None, GONE_SECONDS)
        until("its adapter has ended", lambda: adapter is None or not _runs(adapter), GONE_SECONDS)
        yield
        self._allowed.set()

    def stop(self) -> None:
        """As Ctrl-C does. Raises AssertionError unless it ends well."""
        self._stopping = True
        assert self.program.stop() == 0, self.program.output

    def _watch(self) -> None:
        while True:
            self.program.process.wait()
            self._allowed.wait()
            if self._stopping:
                return
            self.program.start()
            self.pids.append(self.program.process.pid)


class Process:
    """Of a supervised program: itself, or the adapter that it has started."""

    def __init__(self, supervised: Supervised, *, is_adapter: bool = False) -> None:
        self.supervised, self._is_adapter = supervised, is_adapter

    @property
    def pid(self) -> int:
        program = self.supervised.program
        if self._is_adapter:
            return until("it has an adapter", lambda: program.adapter_pid, GONE_SECONDS)
        return program.process.pid

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
