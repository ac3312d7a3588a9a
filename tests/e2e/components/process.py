"""One program in the background, with a log file of its own."""

import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tests.e2e.components import report
from tests.e2e.components.failure import ComponentFailed
from tests.e2e.components.waiting import until

STOP_TIMEOUT_S = 10
TAIL_LINES = 25


class Process:
    """Started again after a stop, it writes on in the same log."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, ready: Callable[[], bool], version: str = ""
    ) -> None:
        self._command, self._ready = [str(part) for part in command], ready
        self.name, self.log, self.version = log.stem, log, version
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """While it runs."""
        assert self._running
        return self._running.pid

    def start(self, timeout_s: float = 60) -> None:
        """Return once it is ready. Raises ComponentFailed, with the end of its log."""
        begun = time.monotonic()
        self.begin()
        try:
            until(f"{self.name} is ready", self._look, timeout_s)
        except TimeoutError as error:
            self.stop()
            raise ComponentFailed(f"{error}; the end of {self.log}:\n{self.tail()}") from None
        report.started(self.name, self.version, time.monotonic() - begun)

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        with self.log.open("ab") as out:
            self._running = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def _look(self) -> bool:
        self.check()
        return self._ready()

    def check(self) -> None:
        """Raises ComponentFailed when it has ended by itself."""
        code = self._running.poll() if self._running else None
        if code is not None:
            raise ComponentFailed(f"{self.name} ended with {code}; the end of {self.log}:\n{self.tail()}")

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code, once it is gone; killed when `how` does not end it."""
        if self._running is None:
            return 0
        self._running.send_signal(how)
        try:
            code = self._running.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._running.kill()
            code = self._running.wait()
        self._running = None
        return code


def version_of(program: str, option: str = "--version") -> str:
    """The first version number that a program says of itself."""
    done = subprocess.run([program, option], capture_output=True, text=True, timeout=30)
    found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
    return found[0] if found else "?"
