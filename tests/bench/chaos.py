"""What faults do, and how long it takes until they are over: `python -m tests.bench.chaos [NAME...]`.

Real processes under a steady load are killed, stopped, given another time, a full or a failing disk, while each adapter is asked
for all metrics four times a second. A broken law (tests/chaos/laws.py) ends the run. `recovery` is from the fault's end, of a
kill from the kill, until all metrics are served everywhere as measured since; `gap` the longest time without a sample.
"""

import argparse
import tempfile
from pathlib import Path

from tests.chaos.runs import RUNS, Run
from tests.chaos.trial import outcomes_of

HEAD = ("run", "fault", "process", "recovery s", "gap s", "samples", "numbers", "oldest s")


def table(run: Run) -> list[str]:
    """A row for each fault."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = outcomes_of(run.assembly, Path(folder), run.strikes)
    return [
        row(
            *(run.name, one.fault, one.process),
            *(f"{one.recovery_s:.1f}", f"{one.gap_s:.1f}".replace("nan", "")),
            *(str(one.samples), str(one.numbers), f"{one.worst_age_s:.1f}"),
        )
        for one in outcomes
    ]


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of runs; all without")
    args = parser.parse_args()
    print(row(*HEAD), row(*("---" for _ in HEAD)), sep="\n", flush=True)
    for run in RUNS:
        if not args.names or run.name in args.names:
            print(*table(run), sep="\n", flush=True)


if __name__ == "__main__":
    main()
