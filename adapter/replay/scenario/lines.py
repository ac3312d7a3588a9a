"""The statements of a scenario file, each with its line; and what is wrong with a file, line by line."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapter.configuration.check import Problem
from cme.core.errors import InvalidInput, TidecastError, shortened

LARGEST = 100_000
"""Bytes of a file."""

_COMMENT = re.compile(r"(^|\s)#.*")
_WITH_BLOCK = ("policy:", "hpa:")


class BrokenScenario(TidecastError):
    """A file is no scenario; `problems` are all that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Line:
    """A statement: its text on one line without comments, and the YAML beneath it as it is written."""

    file: str
    number: int
    text: str
    block: str = ""

    def problem(self, text: str, beneath: int = 0) -> Problem:
        """Something wrong here, or so many lines beneath."""
        return Problem(self.file, self.number + beneath, 0, (), shortened(text))


class Problems(list[Problem]):
    """What was found so far."""

    @contextmanager
    def of(self, line: Line) -> Iterator[None]:
        """What is refused within is a problem of that line."""
        try:
            yield
        except InvalidInput as error:
            self.append(line.problem(f"{error.what}; {error.remedy}"))

    def stop(self) -> None:
        """Raises BrokenScenario if there are any."""
        if self:
            raise BrokenScenario(sorted(self, key=lambda one: one.line))


def refused(what: str, remedy: str) -> InvalidInput:
    """Something in the line that is being read; its place is told by `Problems.of`."""
    return InvalidInput(what, "scenario", remedy)


def read_text(path: Path) -> str:
    """Raises BrokenScenario."""
    try:
        with path.open("rb") as file:
            found = file.read(LARGEST + 1)
        text = found.decode("utf-8-sig")
    except OSError as error:
        what = f"{error.strerror or 'it cannot be read'}; name a file or a folder"
    except UnicodeDecodeError:
        what = "it is not text in UTF-8; write it as docs/scenarios.md shows"
    else:
        if len(found) <= LARGEST:
            return text
        what = f"it has more than {LARGEST} bytes; split it"
    raise BrokenScenario([Problem(str(path), 0, 0, (), what)])


def lines_of(text: str, file: str) -> list[Line]:
    """Raises BrokenScenario for text that belongs to no statement."""
    problems, found = Problems(), list[Line]()
    for number, raw in enumerate(text.split("\n"), 1):
        written = " ".join(_COMMENT.sub("", raw).split())
        indented = raw[:1] in (" ", "\t")
        if not indented and written:
            found.append(Line(file, number, written))
        elif indented and found and found[-1].text in _WITH_BLOCK:
            found[-1] = _longer(found[-1], number, raw)
        elif indented and found and written:
            found[-1] = Line(file, found[-1].number, f"{found[-1].text} {written}")
        elif written:
            what = "it is indented, but there is no statement that it goes on with; begin it at the margin"
            problems.append(Line(file, number, written).problem(what))
    problems.stop()
    return found


def _longer(line: Line, number: int, raw: str) -> Line:
    """With one more line of YAML, in its place: what lies between was empty."""
    missing = number - line.number - line.block.count("\n") - 1
    return Line(line.file, line.number, line.text, line.block + "\n" * missing + raw + "\n")
