"""From what a source read to the load of a workload."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cme.core.rates import CounterWindow, Refusal, refusal_of
from cme.core.readings import MIN_COVERAGE, Harvest, Reading, Total, total


@dataclass(frozen=True, slots=True)
class Sampled:
    """The load, or why there is none; and the values that were refused."""

    total: Total | None
    problem: str
    refusals: tuple[Refusal, ...]


@dataclass(slots=True)
class Sampler:
    """Memory of one signal: a counter window for each of its parts."""

    window_ms: int
    max_gap_ms: int
    _counters: dict[str, CounterWindow] = field(default_factory=dict)

    def sample(self, harvest: Harvest, workload: str, now_ms: int) -> Sampled:
        """The load of `workload` ("" where the source serves one) in a harvest.

        A time ahead of ours becomes ours: else a value from a fast clock would look fresh for too long.
        """
        values: list[tuple[float, int]] = []
        refusals: list[Refusal] = []
        readings = harvest.of(workload)
        for reading in readings:
            time_ms = min(reading.time_ms, now_ms)
            value = self._value(reading, time_ms, harvest.counters)
            if isinstance(value, Refusal):
                refusals.append(value)
            else:
                values.append((value, time_ms))
        self._forget({r.part for r in readings}, harvest.expected.get(workload, 0))
        result = total(values, max(harvest.expected.get(workload, 0), len(readings)))
        problem = "" if result else self._problem(harvest, len(values), refusals, workload)
        return Sampled(result, problem, tuple(refusals))

    def _value(self, reading: Reading, time_ms: int, counters: bool) -> float | Refusal:
        if not counters:
            return refusal_of(reading.value) or reading.value
        window = self._counters.setdefault(reading.part, CounterWindow(self.window_ms, self.max_gap_ms))
        return window.push(time_ms, reading.value)

    def _forget(self, parts: set[str], expected: int) -> None:
        """Parts that are gone for good (a pod of yesterday) must not fill the memory."""
        if len(self._counters) > 2 * max(expected, len(parts)) + 16:
            self._counters = {part: c for part, c in self._counters.items() if part in parts}

    def _problem(self, harvest: Harvest, answered: int, refusals: Iterable[Refusal], workload: str) -> str:
        """The same text while the cause is the same: it becomes an event of the HPA."""
        if workload and workload not in harvest.expected:
            return f"the query returned nothing for workload {workload!r}"
        # One read may serve many workloads: the failure that names this one comes first.
        failures = sorted(harvest.failures, key=lambda text: (repr(workload) not in text, text))
        if failures:
            return f"{failures[0]} (fewer than {MIN_COVERAGE:.0%} of its parts answered)"
        for refusal in refusals:
            if refusal is Refusal.FIRST:
                return "a rate needs a second reading; wait for the next tick"
            return f"its value was refused: {refusal}"
        return f"{answered} of {harvest.expected.get(workload, 0)} parts answered"
