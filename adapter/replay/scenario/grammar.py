"""How each statement is written: an example of it, its pattern, and what is made of that."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from adapter.replay.cluster import Nodes
from adapter.replay.scenario.clock import TIME, When, parse_when
from adapter.replay.scenario.expectation import (
    EXPECT,
    WHY,
    Expectation,
    Total,
    parse_because,
    parse_bound,
)
from adapter.replay.scenario.figures import FIGURES
from adapter.replay.scenario.lines import Line, Problems, refused
from adapter.replay.scenario.shape import amount_of, number_of, parse_shape, whole_of
from adapter.replay.scenario.statements import (
    Beginning,
    Carrying,
    Failing,
    History,
    HpaOf,
    Kubernetes,
    LoadOf,
    NodesOf,
    Other,
    PolicyOf,
    Sized,
    Span,
    Starting,
    Statement,
    Zone,
)
from cme.core.durations import DAY_MS, parse_duration

MOST_HISTORY_DAYS = 60
MOST_REPLICAS = 100_000
"""That are played: each pod is one in the model."""
_FILE = r"(?!-$)([^\s\0]+)"
_BETWEEN = rf"from (?P<since>{TIME}) to (?P<until>{TIME})"

Build = Callable[[re.Match[str]], Statement]


@dataclass(frozen=True)
class Form:
    example: str
    pattern: re.Pattern[str]
    build: Build

    @property
    def word(self) -> str:
        """With which it begins."""
        return re.split(r"[ :]", self.example)[0]


def _form(example: str, pattern: str, build: Build) -> Form:
    return Form(example, re.compile(pattern), build)


def _span(match: re.Match[str]) -> tuple[When, When]:
    return parse_when(match["since"]), parse_when(match["until"])


def _expected(match: re.Match[str]) -> Expectation:
    bound, because = parse_bound(match["bound"]), parse_because(match["why"])
    if "at" in match.re.groupindex:
        return Expectation(parse_when(match["at"]), None, bound, match["unit"], because)
    return Expectation(*_span(match), bound, match["unit"], because)


def _total(match: re.Match[str]) -> Total:
    if match["unit"] not in FIGURES:
        raise refused(f"there is no figure {match['unit']!r} of a run", f"write one of {', '.join(FIGURES)}")
    return Total(parse_bound(match["bound"]), match["unit"])


def _duration(text: str) -> int:
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise refused(str(error), "correct it") from None
    if found > DAY_MS:
        raise refused(f"{text} is too long", "write at most 24h")
    return found


FORMS = (
    _form("policy transcoder.yaml", rf"policy {_FILE}", lambda m: PolicyOf(m[1])),
    _form("policy all.yaml media/transcoder", rf"policy {_FILE} (\S+/\S+)", lambda m: PolicyOf(m[1], m[2])),
    _form("policy:", r"policy:", lambda m: PolicyOf()),
    _form("hpa hpa.yaml", rf"hpa {_FILE}", lambda m: HpaOf(m[1])),
    _form("hpa:", r"hpa:", lambda m: HpaOf()),
    _form(
        "kubernetes 1.33 with HPAConfigurableTolerance",
        r"kubernetes (\S+)(?: with (\S+(?:, \S+)*))?",
        lambda m: Kubernetes(m[1], tuple(m[2].split(", ")) if m[2] else ()),
    ),
    _form("zone Asia/Shanghai", r"zone (\S+)", lambda m: Zone(m[1])),
    _form(
        "run from 2026-03-02 06:00 to 23:00",
        rf"run {_BETWEEN}",
        lambda m: Span(*_span(m)),
    ),
    _form("history 7 days", r"history (\S+) days?", lambda m: History(whole_of(m[1], 1, MOST_HISTORY_DAYS))),
    _form(
        "load qps: 500 until 08:00, rises to 4000 by 09:00, 4000 until 20:00, falls to 500 by 22:00, varies by 3 %",
        r"load ([^ :]+): (.+)",
        lambda m: LoadOf(m[1], parse_shape(m[2])),
    ),
    _form("pods start within 60s", r"pods start within (\S+)", lambda m: Starting(_duration(m[1]))),
    _form("pods carry 120 qps", r"pods carry (\S+) (\S+)", lambda m: Carrying(amount_of(m[1]), m[2])),
    _form("pods have 4 cores", r"pods have (\S+) cores?", lambda m: Sized(amount_of(m[1]))),
    _form(
        "nodes hold 10 pods and come within 3m",
        r"nodes hold (\S+) pods? and come within (\S+)",
        lambda m: NodesOf(Nodes(whole_of(m[1], 1, MOST_REPLICAS), _duration(m[2]))),
    ),
    _form(
        "begin with 12 replicas",
        r"begin with (\S+) replicas?",
        lambda m: Beginning(whole_of(m[1], 0, MOST_REPLICAS)),
    ),
    _form(
        "from 12:00 to 12:10 qps is unknown",
        rf"{_BETWEEN} (?P<signal>\S+) is unknown",
        lambda m: Failing(*_span(m), m["signal"]),
    ),
    _form(
        "from 10:00 to 10:20 qps is 3000",
        rf"{_BETWEEN} (?P<signal>\S+) is (?P<value>\S+)",
        lambda m: Other(*_span(m), m["signal"], number_of(m["value"])),
    ),
    _form(
        "from 12:00 to 12:10 metrics fail", rf"{_BETWEEN} metrics fail", lambda m: Failing(*_span(m), None)
    ),
    _form(
        "at 07:50 expect at least 12 replicas because schedule_ahead, not held",
        rf"at (?P<at>{TIME}) {EXPECT}{WHY}",
        _expected,
    ),
    _form("from 08:00 to 20:00 expect between 40 and 45 ready pods", rf"{_BETWEEN} {EXPECT}{WHY}", _expected),
    _form("in total expect at most 0.1 % short", rf"in total {EXPECT}", _total),
)
"""The more special one before the more general one, for the first that fits counts."""
_WORDS = tuple(dict.fromkeys(form.word for form in FORMS))


def statements_of(lines: Sequence[Line]) -> list[tuple[Line, Statement]]:
    """Raises BrokenScenario with all lines that are none."""
    problems, found = Problems(), list[tuple[Line, Statement]]()
    for line in lines:
        with problems.of(line):
            found.append((line, _statement(line.text)))
    problems.stop()
    return found


def _statement(text: str) -> Statement:
    text = re.sub(r"(?<=\d)%", " %", text)
    for form in FORMS:
        if match := form.pattern.fullmatch(text):
            return form.build(match)
    word = re.split(r"[ :]", text)[0]
    likely = get_close_matches(word[:20], _WORDS, 1)
    examples = [form.example for form in FORMS if form.word in (word, *likely)]
    if not examples:
        raise refused(f"no statement begins with {word!r}", f"statements begin with {', '.join(_WORDS)}")
    raise refused(f"this is no statement: {text!r}", f"write it like: {'; or '.join(examples)}")
