"""`tidecast` as a process of its own, and what it answers."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

START_SECONDS = 60
"""Far more than a start takes: a bound on waiting, not a claim."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def command(*arguments: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
    """What `tidecast` says and how it ends, within so long."""
    whole = [sys.executable, "-m", "adapter.cli", *arguments]
    return subprocess.run(whole, capture_output=True, text=True, timeout=seconds, check=False)


def adapter_of(parent: int) -> int | None:
    """The adapter's process that a `tidecast up` or `serve` has started; None while there is none."""
    try:
        listed = [path.read_text().split() for path in Path(f"/proc/{parent}/task").glob("*/children")]
        pids = [int(pid) for children in listed for pid in children]
        return next(
            (pid for pid in pids if b"adapter.server" in Path(f"/proc/{pid}/cmdline").read_bytes()), None
        )
    except OSError:  # it has just ended
        return None


class Program:
    """`tidecast up`, or another command that serves, on free ports; stopped by its process id when the block ends."""

    def __init__(
        self,
        folder: Path,
        *flags: str,
        role: str = "up",
        until_ready: bool = True,
        tree: Path | None = None,
        environment: Mapping[str, str] | None = None,
        patience_s: float = START_SECONDS,
    ) -> None:
        """`until_ready`: the block begins when the log has been read once, else when it listens. `tree`: the program's files,
        if not these. `environment` is beside ours."""
        self._tree, self._environment = tree, os.environ | (environment or {})
        self._patience_s = patience_s
        self._is_begun = self._ready if until_ready else self._listens
        self.data = folder / "data"
        self.http, self.https = free_port(), free_port()
        self._log = folder / "output.txt"
        self._command = [
            *(sys.executable, "-m", "adapter.cli", role, *flags),
            *("--http", f"127.0.0.1:{self.http}"),
            *("--data", str(self.data)),
            *(("--https", f"127.0.0.1:{self.https}") if role in ("up", "serve") else ()),
        ]

    def __enter__(self) -> "Program":
        self._log.write_bytes(b"")
        self.start()
        try:
            self.wait_for(self._is_begun)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Also again, after its end; what it says is told behind what it has said."""
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, stdout=output, stderr=output, env=self._environment, cwd=self._tree
            )

    @property
    def adapter_pid(self) -> int | None:
        """Of the adapter's process that it has started; None while there is none."""
        return adapter_of(self.process.pid)

    @property
    def output(self) -> str:
        return self._log.read_text()

    def stop(self) -> int:
        """As Ctrl-C does; returns the exit code."""
        os.kill(self.process.pid, signal.SIGINT)
        return self.process.wait(self._patience_s)

    def wait_for(self, look: Callable[[], bool]) -> None:
        end = time.monotonic() + self._patience_s
        while not look():
            assert self.process.poll() is None, self.output
            assert time.monotonic() < end, f"{look} did not come true\n{self.output}"
            time.sleep(0.05)

    def page(self, path: str) -> Any:
        """JSON of the page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=10) as answer:
            return json.load(answer)

    def metric(self, path: str) -> Any:
        """JSON of the metrics API, verified by the CA that the program generated."""
        context = ssl.create_default_context(cafile=self.data / "tls" / "ca.crt")
        url = f"https://127.0.0.1:{self.https}/apis/custom.metrics.k8s.io/v1beta2/namespaces/{path}"
        try:
            with urllib.request.urlopen(url, timeout=10, context=context) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    def workload(self, name: str) -> Any:
        """A workload as the page shows it, once it does."""
        found: list[Any] = []

        def is_shown() -> bool:
            found[:] = [w for w in self.page("/api/v1/workloads")["workloads"] if w["name"] == name]
            return bool(found)

        self.wait_for(is_shown)
        return found[0]

    def _listens(self) -> bool:
        return "http://" in self.output

    def _ready(self) -> bool:
        try:
            return bool(self.page("/api/v1/workloads")["ready"])
        except OSError:
            return False
