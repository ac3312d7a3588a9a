"""What a person sees while something long runs: lines on standard output, progress bars on standard error."""

from collections.abc import Callable

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class Display:
    """Progress bars that appear with their first step; several may run at once."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bars = Progress(*columns, console=Console(stderr=True))

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *error: object) -> None:
        if self._bars.live.is_started:  # to stop what never ran prints an empty line
            self._bars.stop()

    def say(self, line: str) -> None:
        click.echo(line)

    def progress(self, description: str) -> Callable[[int, int], None]:
        """A callback that takes (done, total)."""
        task = self._bars.add_task(description, visible=False)

        def report(done: int, total: int) -> None:
            self._bars.start()
            self._bars.update(task, completed=done, total=total, visible=True)

        return report
