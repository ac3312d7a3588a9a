"""What this run did with real components, for the summary at its end."""

from typing import NamedTuple


class Started(NamedTuple):
    name: str
    version: str
    seconds: float


STARTED: list[Started] = []
NOTES: list[str] = []


def started(name: str, version: str, seconds: float) -> None:
    STARTED.append(Started(name, version, seconds))


def note(line: str) -> None:
    """Show a line at once, and again in the summary."""
    print(line, flush=True)
    NOTES.append(line)
