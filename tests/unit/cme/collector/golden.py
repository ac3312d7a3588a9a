"""Writes the golden record of the topic `replicas`: `python -m tests.unit.cme.collector.golden > tests/golden/replicas-v1.hex`.

Records that were written stay readable: a version that adds a column pins one of its own beside these.
"""

from pathlib import Path

from cme.collector.replicas import State, as_batch
from cme.core.batch import Batch
from cme.core.replica_record import Startup
from cme.log.record import encode
from tests.unit.cme.log.golden import SEQ, as_lines

FOLDER = Path(__file__).parents[3] / "golden"
LABELLED, UNLABELLED = FOLDER / "replicas-v1.hex", FOLDER / "replicas-v1-unlabelled.hex"
LABELS = '{"app": "web", "team": "gr\\u00fcn"}'
PODS = '{"labels": [{"app": "web"}], "pods": [["web-0", 0], ["web-1", 0]]}'


def golden_batch(labels: str | None) -> Batch:
    """Of a Deployment with two pods."""
    state = State("deployments", 2.0, PODS, float("inf"), 150_000.0, Startup(40_000.0, 3), labels)
    return as_batch(7, state, 1_750_000_000_123)


if __name__ == "__main__":
    print(as_lines(encode(golden_batch(LABELS), SEQ)), end="")
