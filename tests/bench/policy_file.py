"""What a file of policies takes to be read: `python -m tests.bench.policy_file [--policies N] [--runs R]`.

Seconds of a core, medians: of all that a start does with it, and of PyYAML's loaders in the same run, which neither check a
policy nor know a field's line.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from adapter.configuration.load import read_configuration
from tests.bench.fleet import SIGNALS, policies
from tests.bench.machine import load_average


def seconds(action: Callable[[], object]) -> float:
    begun = time.process_time()
    action()
    return time.process_time() - begun


def report(count: int, runs: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "policies.yaml")
        one = (each.model_dump(mode="json", by_alias=True, exclude_unset=True) for each in policies(count))
        path.write_text(yaml.safe_dump_all(one))
        text = path.read_text()
        yield f"{count} policies of {len(SIGNALS)} signals, {len(text) / 1e6:.1f} MB, {runs} runs; {load_average()}"
        actions: dict[str, Callable[[], object]] = {
            "a start": lambda: read_configuration(path, {}),
            "PyYAML, in Python": lambda: list(yaml.safe_load_all(text)),
            "PyYAML, libyaml": lambda: list(yaml.load_all(text, yaml.CSafeLoader)),
        }
        found = [[seconds(action) for action in actions.values()] for _ in range(runs)]
        for number, name in enumerate(actions):
            ratio = statistics.median(run[number] / run[0] for run in found)
            yield f"{name:20s}{statistics.median(run[number] for run in found):8.2f} s   ({ratio:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    for line in report(args.policies, args.runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
