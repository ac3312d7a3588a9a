"""What it costs to know which pods run: `python -m tests.bench.running_pods [--pods N]`.

Bytes a pod at most BOUND; beside it the time of one event, and of looking up the pods of a large workload.
"""

import argparse
import json
import sys
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

from adapter.running import RunningPods
from cme.core.clock import SystemClock

BOUND = 500
WORKLOAD = 1_000
ROUNDS = 20


def pods(count: int) -> Iterator[dict[str, Any]]:
    """As a Deployment names them, 50 to a workload."""
    for number in range(count):
        name = f"some-service-{number // 50:05d}-7d4b9c6f{number % 97:02d}-{number:05d}"
        yield {"metadata": {"namespace": f"team-{number % 300:03d}", "name": name, "resourceVersion": "1"}}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pods", type=int, default=100_000)
    count = parser.parse_args().pods
    clock = SystemClock()
    running = RunningPods(clock)
    tracemalloc.start()
    running.begin(pods(count), clock.monotonic_ms())
    each = tracemalloc.get_traced_memory()[0] / count
    tracemalloc.stop()
    lines = [json.dumps({"type": "MODIFIED", "object": pod}) for pod in pods(count)]
    begun = time.perf_counter()
    for line in lines:
        running.take(json.loads(line))
    event_us = (time.perf_counter() - begun) / count * 1e6
    names = [pod["metadata"]["name"] for pod in pods(WORKLOAD)]
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        running.among("team-000", names)
    look_ms = (time.perf_counter() - begun) / ROUNDS * 1e3
    print(f"{count} pods: {each:.0f} bytes each (at most {BOUND}); {event_us:.1f} us an event;")
    print(f"{look_ms:.2f} ms to look up {WORKLOAD}")
    sys.exit(each > BOUND)


if __name__ == "__main__":
    main()
