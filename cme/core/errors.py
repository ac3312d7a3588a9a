"""Errors whose text is written for the person who can mend their cause."""

from typing import Any

LONGEST_QUOTE, LONGEST_TEXT = 400, 1_500
"""Characters of what is told of one field, and of all that an error tells."""


def shortened(text: str, longest: int = LONGEST_QUOTE) -> str:
    """An error quotes what it refuses, which may be of any length; what is asked for stands at the end."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} ... {text[-half:]}"


class TidecastError(Exception):
    """Base of every error that tidecast raises on purpose; its text says what, where and what to do."""


class InvalidInput(TidecastError, ValueError):
    """Something given from outside (a file, a flag, a sample, a request) is not of the form it must have."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        what = shortened(what, LONGEST_TEXT)
        super().__init__(f"{where}: {what}; {remedy}")
        self.what, self.where, self.remedy = what, where, remedy

    def __reduce__(self) -> tuple[type["InvalidInput"], tuple[Any, ...]]:
        """As pickle has it: it may be raised in another process."""
        return type(self), (self.what, self.where, self.remedy)


class KubeFailed(TidecastError):
    """The API server did not answer, or said no."""


class KubeGone(KubeFailed):
    """The API server no longer remembers what it was asked to go on from; list anew."""
