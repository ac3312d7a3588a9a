"""`tidecast up` to kill: `python -m tests.crash.busy_up FOLDER` runs it with many workloads.

It prints a line per batch once `append` has returned for it: topic, key, time, digest of its bytes.
"""

import hashlib
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapter.allinone.up import Voice, up
from cme.core.batch import Batch
from cme.core.policy import ScalingPolicy
from cme.core.settings import Configuration, Settings
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Position
from cme.log.record import encode
from tests.run.program import free_port

WORKLOADS = 100
LOADS = ("tide", "bursts", "batch")


class TellingLog:
    """A log that says what it has acknowledged."""

    def __init__(self, folder: Path) -> None:
        self._log = EmbeddedLog.open(folder, writable=True)
        self._telling = threading.Lock()

    def append(self, batches: Sequence[Batch]) -> Position:
        position = self._log.append(batches)
        with self._telling:  # collector and predictor append from threads of their own
            print("\n".join(map(line, batches)), flush=True)
        return position

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def line(batch: Batch) -> str:
    return f"{batch.topic}\t{batch.key}\t{batch.time_ms}\t{hashlib.sha256(encode(batch)).hexdigest()}"


def policies() -> list[ScalingPolicy]:
    return [
        ScalingPolicy.model_validate(
            {
                "apiVersion": "tidecast.dev/v1alpha1",
                "kind": "ScalingPolicy",
                "metadata": {"name": f"web-{number}"},
                "spec": {
                    "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"web-{number}"},
                    "signals": [
                        {"name": load, "source": {"demo": {"load": load}}, "perReplica": 4} for load in LOADS
                    ],
                },
            }
        )
        for number in range(WORKLOADS)
    ]


def main(folder: Path) -> None:
    addresses = {name: f"127.0.0.1:{free_port()}" for name in ("http", "https")}
    settings = Settings.model_validate({"data": str(folder), "tick": "1s", **addresses})
    voice = Voice(lambda text: None, lambda description: lambda done, total: None)
    up(
        Configuration(settings, tuple(policies())),
        lambda: TellingLog(folder),
        voice,
        demonstrate=False,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
