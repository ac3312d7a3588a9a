"""Builds everything that is built, ahead of the tests: `python -m tests.e2e.components.build`."""

import time

from tests.e2e.components.golang import PROGRAMS
from tests.e2e.components.kafka import libraries
from tests.e2e.components.kwok import stages


def build() -> None:
    """Raises ComponentFailed."""
    for program in PROGRAMS:
        program.path()
    stages()
    libraries()


if __name__ == "__main__":
    begun = time.monotonic()
    build()
    print(f"all components are built; this took {time.monotonic() - begun:.0f} s")
