"""`python -m tests.slow`: the tests marked slow, each in a process of its own, resumable.

A slice that has passed on this commit is not run again; an uncommitted change starts anew. `--list` shows them.
"""

import subprocess
import sys
import time
from pathlib import Path

SLICE_SECONDS = 540
PASSED = Path(__file__).parents[1] / ".cache" / "slow"


def slices() -> list[str]:
    """Node ids of all slow tests."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-m", "slow"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in output.splitlines() if "::" in line]


def version() -> str:
    """The commit, or "" for a tree that differs from it."""
    changed = subprocess.run(
        ["git", "status", "--porcelain"], capture_output=True, text=True, check=True
    ).stdout
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    return "" if changed else head.strip()


def run(node: str) -> bool:
    """Run one slice and say how it went."""
    start = time.monotonic()
    try:
        done = subprocess.run([sys.executable, "-m", "pytest", node], timeout=SLICE_SECONDS, check=False)
        passed = done.returncode == 0
    except subprocess.TimeoutExpired:
        passed = False
    print(f"{'passed' if passed else 'FAILED'} in {time.monotonic() - start:.0f} s: {node}", flush=True)
    return passed


def main() -> int:
    nodes = slices()
    if "--list" in sys.argv:
        print("\n".join(nodes))
        return 0
    record = PASSED / (version() or "changed")
    if not version():
        record.unlink(missing_ok=True)
    PASSED.mkdir(parents=True, exist_ok=True)
    known = set(record.read_text().splitlines()) if record.exists() else set()
    failed = 0
    for node in nodes:
        if node in known:
            continue
        if run(node):
            with record.open("a") as file:
                file.write(f"{node}\n")
        else:
            failed += 1
    print(f"{len(nodes) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
