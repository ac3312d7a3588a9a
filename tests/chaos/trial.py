"""One run: a wiring, faults one after the other, and the laws."""

import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cme.core.durations import MINUTE_MS
from tests.chaos import laws
from tests.chaos.content import Content
from tests.chaos.counted import HIGH, LOW
from tests.chaos.faults import FULL, Fault
from tests.chaos.load import PER_REPLICA
from tests.chaos.poller import METRICS, NOT_AWAITED, Answer, Poller
from tests.chaos.wirings import Assembly, Wiring
from tests.e2e.components.waiting import until

BOUND_S = 120
"""Far more than anything takes: a bound on waiting, not a claim."""
LOOK_S = 0.2
SETTLED_MS = 10_000
UNCONCERNED_S = laws.STALE_MS / 1000
"""Between two samples of a collector that a fault does not concern: else numbers would go stale. A busy machine leaves out
ticks."""
AWAITED = [(name, metric) for name, metrics in METRICS.items() for metric in metrics]
AWAITED.remove(NOT_AWAITED)


@dataclass(frozen=True)
class Outcome:
    """What became of a fault."""

    fault: str
    process: str
    recovery_s: float
    """From its end until all metrics are served everywhere as measured since."""
    gap_s: float
    """The longest time without a sample; NaN where a clock was set."""
    samples: int
    numbers: int
    worst_age_s: float
    """Of a number, when it was asked for."""


@dataclass(frozen=True)
class Strike:
    """Monotonic seconds, and milliseconds of the clock that samples are stamped with."""

    fault: Fault
    process: str
    begun_s: float
    begun_ms: int
    ended_s: float
    ended_ms: int
    recovered_s: float


class Trial:
    """On a wiring that runs."""

    def __init__(self, wiring: Wiring, pollers: Sequence[Poller]) -> None:
        self._wiring, self._pollers = wiring, pollers
        self._strikes: list[Strike] = []
        self._calm_s = 0.0

    def prepare(self) -> None:
        """A load that was high and is low: what is decided is held, so it rests on more than the newest sample."""
        until("all metrics are served", lambda: self._served_since(0, 0), BOUND_S, LOOK_S)
        self._wiring.load.counted.surge()
        replicas = round(HIGH / PER_REPLICA["shop"] + 0.5)
        self._wait_for(("shop", "replicas_scaling"), 1000 * replicas)
        self._wiring.load.counted.calm()
        self._wait_for(("shop", "hits"), round(1000 * LOW))
        self._calm_s = time.monotonic()

    def strike(self, fault: Fault, process: str) -> None:
        """Do it, and wait until all is served again."""
        before, clock = Content.of(self._wiring.open_log), self._wiring.load.clock
        begun_s, begun_ms, starts = time.monotonic(), clock.now_ms(), self._wiring.starts
        fault.do(self._wiring, process)
        ended_s, ended_ms = time.monotonic(), clock.now_ms()
        what = f"{process} has recovered from {fault.name}"
        recovered_s = until(what, lambda: self._served_since(ended_s, ended_ms), BOUND_S, LOOK_S)
        self._strikes.append(Strike(fault, process, begun_s, begun_ms, ended_s, ended_ms, recovered_s))
        ended = {name for name, count in self._wiring.starts.items() if count > starts[name]}
        assert ended == (self._together(process) if fault.ends else set())
        laws.nothing_is_lost(before, Content.of(self._wiring.open_log))

    def _together(self, process: str) -> set[str]:
        """The processes of its program."""
        processes = self._wiring.processes
        return {name for name, one in processes.items() if one.supervised is processes[process].supervised}

    def settle(self) -> None:
        """Until all has been served for a while since the last recovery."""
        last = self._strikes[-1]
        settled_ms = last.ended_ms + round(1000 * (last.recovered_s - last.ended_s)) + SETTLED_MS
        until("it goes on", lambda: self._served_since(last.recovered_s, settled_ms), BOUND_S, LOOK_S)

    def wait_for_minute(self) -> None:
        """Until the minute is written that the last fault ended in."""
        end_ms = -(-self._strikes[-1].ended_ms // MINUTE_MS) * MINUTE_MS

        def is_written() -> bool:
            minutes = Content.of(self._wiring.open_log).minutes
            return {(series, end_ms) for series in self._wiring.load.signals} <= minutes.keys()

        until("the fault's minute is written", is_written, BOUND_S, 1)

    def outcomes(self) -> list[Outcome]:
        """Raises AssertionError where a law is broken."""
        answers = self._answers(0, time.monotonic())
        content = Content.of(self._wiring.open_log)  # later, so that it holds all that was served
        load = self._wiring.load
        laws.errors_say_what_they_are(answers)
        laws.numbers_are_not_zero(answers)
        laws.numbers_are_fresh(answers, load)
        laws.numbers_are_in_the_log(answers, content, load)
        laws.samples_are_written_once(content)
        laws.samples_are_the_load(content, load)
        laws.minutes_count_once(content, all_of_them=not any(s.fault.faked for s in self._strikes))
        laws.decisions_follow(content, load)
        laws.decisions_never_fall([answer for answer in answers if answer.asked_s >= self._calm_s])
        ends = [*(strike.begun_s for strike in self._strikes[1:]), time.monotonic()]
        return [self._outcome(one, end, content) for one, end in zip(self._strikes, ends, strict=True)]

    def _outcome(self, strike: Strike, end_s: float, content: Content) -> Outcome:
        answers, gap_s = self._answers(strike.begun_s, end_s), self._gap_s(strike, content)
        concerned = self._wiring.alone.get(strike.process)
        if concerned is not None:
            laws.only_numbers([answer for answer in answers if answer.adapter != concerned])
        if concerned is not None or strike.fault is FULL:
            assert gap_s <= UNCONCERNED_S
        numbers = [answer for answer in answers if answer.is_number]
        ages = [min(laws.ages_ms(one, self._wiring.load)) for one in numbers if one.metric != NOT_AWAITED]
        return Outcome(
            fault=strike.fault.name,
            process=strike.process,
            recovery_s=strike.recovered_s - strike.ended_s,
            gap_s=gap_s,
            samples=len(content.samples),
            numbers=len(numbers),
            worst_age_s=max(ages) / 1000,
        )

    def _gap_s(self, strike: Strike, content: Content) -> float:
        if strike.fault.faked and self._wiring.clocks[strike.process] is self._wiring.load.clock:
            return math.nan
        series = self._wiring.load.signal("web")
        times = [row["measured_ms"] for row in content.samples if row.series == series]
        steps = pairwise(sorted(times))
        met = [b - a for a, b in steps if b >= strike.begun_ms and a <= strike.ended_ms + SETTLED_MS]
        return max(met) / 1000

    def _answers(self, since_s: float, until_s: float) -> list[Answer]:
        everything = [answer for poller in self._pollers for answer in poller.answers.copy()]
        return sorted(
            (answer for answer in everything if since_s <= answer.asked_s < until_s), key=lambda a: a.asked_s
        )

    def _served_since(self, since_s: float, measured_ms: int) -> float | None:
        """When everything had been served everywhere that was asked for and measured since; None before."""
        first: dict[tuple[str, tuple[str, str]], float] = {}
        for answer in self._answers(since_s, time.monotonic()):
            of = answer.adapter, answer.metric
            if of not in first and answer.is_number and self._is_since(answer, measured_ms):
                first[of] = answer.answered_s
        awaited = {(name, metric) for name in self._wiring.adapters for metric in AWAITED}
        return max(first[of] for of in awaited) if awaited <= first.keys() else None

    def _is_since(self, answer: Answer, measured_ms: int) -> bool:
        """And not of a time that was ahead then, from before a clock was set back."""
        offset = self._wiring.load.clock.offsets_ms(answer.answered_s, answer.answered_s)[-1]
        return measured_ms < answer.measured_ms <= answer.answered_ms + offset

    def _wait_for(self, metric: tuple[str, str], milli: int) -> None:
        def is_served() -> bool:
            newest = {a.adapter: a for a in self._answers(0, time.monotonic()) if a.metric == metric}
            return all(a.is_number and a.milli == milli for a in newest.values())

        until(f"{metric} is {milli} m", is_served, BOUND_S, LOOK_S)


@contextlib.contextmanager
def running(
    assembly: Assembly, folder: Path, *, faked: bool = False, own_disk: bool = False
) -> Iterator[Trial]:
    """A wiring under a steady load, asked without a pause."""
    with assembly(folder, faked=faked, own_disk=own_disk) as wiring, contextlib.ExitStack() as asking:
        pollers = [asking.enter_context(Poller(name, one)) for name, one in wiring.adapters.items()]
        trial = Trial(wiring, pollers)
        trial.prepare()
        yield trial


def outcomes_of(assembly: Assembly, folder: Path, strikes: Sequence[tuple[Fault, str]]) -> list[Outcome]:
    """Of faults, one after the other on one wiring, with all their minutes written. Raises AssertionError where a law is
    broken."""
    faked, own_disk = (any(getattr(fault, of) for fault, _ in strikes) for of in ("faked", "own_disk"))
    with running(assembly, folder, faked=faked, own_disk=own_disk) as trial:
        for fault, process in strikes:
            trial.strike(fault, process)
            trial.settle()
        if not faked:  # which may mean an hour without minutes
            trial.wait_for_minute()
        return trial.outcomes()
