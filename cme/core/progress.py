"""How something that takes long tells how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (done, to do), in whatever it counts."""


def silent(done: int, total: int) -> None:
    """Tells nobody."""
