"""What holds of a run whatever fault was done to it."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from cme.core.durations import MINUTE_MS
from cme.core.quantity import milli_from_float
from cme.sources.demo import load_at
from tests.chaos.content import Content, Row
from tests.chaos.counted import HIGH
from tests.chaos.load import PER_REPLICA, Load
from tests.chaos.poller import NOT_AWAITED, Answer

FLOAT32, FLOAT64 = 1e-6, 1e-9
RATE_WINDOW_MS, STALE_MS, FORECAST_STALE_MS = 5_000, 10_000, 180_000
"""As the wirings' settings say, and their default."""
WHOLE_SECONDS_MS = 1_000
"""A served time is rounded down to them."""
LONGEST_RATE_MS = 4 * RATE_WINDOW_MS
"""Over a window and the longest gap that a rate goes over."""
CLOSED_MS = 15_000
"""So long after its end a minute has been written, by a busy machine too."""


def errors_say_what_they_are(answers: Iterable[Answer]) -> None:
    for answer in answers:
        if answer.code and not answer.is_number:
            status = json.loads(answer.body)
            assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", answer.code)
            assert status["message"]


def numbers_are_not_zero(answers: Iterable[Answer]) -> None:
    assert all(answer.milli > 0 for answer in answers if answer.is_number)


def ages_ms(answer: Answer, load: Load) -> list[int]:
    """At the moment of asking, by the clocks by which it may have been told: a number that was fresh when the clock was set
    is so for as long as without. What a clock was set beyond, as the end of the minute that was open then, came with that."""
    since_s = answer.asked_s - _longest_ms(answer) / 1000
    shown = [
        answer.asked_ms + offset - answer.measured_ms
        for offset in load.clock.offsets_ms(since_s, answer.answered_s)
        if answer.measured_ms <= answer.answered_ms + offset
    ]
    ago = {
        jump: 1000 * (answer.asked_s - jump.moment_s) for jump in load.clock.jumps(since_s, answer.answered_s)
    }
    passed = [
        round(ms)
        for jump, ms in ago.items()
        if jump.before_ms < answer.measured_ms - (answer.asked_ms - ms) <= jump.after_ms
    ]
    return shown + passed


def numbers_are_fresh(answers: Iterable[Answer], load: Load) -> None:
    """Measured within the time that they are served for, and not in the future."""
    for answer in answers:
        if answer.is_number:
            ages = ages_ms(answer, load)
            assert ages, f"in the future: {answer}"
            assert min(ages) <= _longest_ms(answer) + WHOLE_SECONDS_MS, f"too old: {answer}"


def _longest_ms(answer: Answer) -> int:
    return FORECAST_STALE_MS if answer.metric[1].endswith("_predicted") else STALE_MS


def numbers_are_in_the_log(answers: Iterable[Answer], content: Content, load: Load) -> None:
    """What was served had been written, so it must be there."""
    logged = {
        "raw": set(_told(content.samples, "value", "measured_ms")),
        "decided": set(_told(content.decisions, "value", "raw_ms")),
        "predicted": set(_told(content.decisions, "predicted", "predicted_ms")),
    }
    for answer in answers:
        if answer.is_number:
            kind, series = _of_log(answer, load)
            assert (series, answer.measured_ms, answer.milli) in logged[kind], f"not in the log: {answer}"


def _told(rows: Iterable[Row], value: str, time: str) -> Iterator[tuple[int, int, int]]:
    for row in rows:
        if math.isfinite(row[value]):
            yield row.series, int(row[time]) // 1000 * 1000, milli_from_float(row[value])


def _of_log(answer: Answer, load: Load) -> tuple[str, int]:
    workload, metric = answer.metric
    if metric == "replicas_scaling":
        return "decided", load.replicas(workload)
    kind = {"scaling": "decided", "predicted": "predicted"}.get(metric.partition("_")[2], "raw")
    return kind, load.signal(workload)


def samples_are_the_load(content: Content, load: Load) -> None:
    """At the time that each carries."""
    web, shop = load.signal("web"), load.signal("shop")
    made = [row for row in content.samples if row.series == web]
    times = np.array([row["measured_ms"] / 1000 for row in made])
    np.testing.assert_allclose([row["value"] for row in made], load_at("tide", times), rtol=FLOAT64)
    counted = [row for row in content.samples if row.series == shop]
    assert made
    assert counted
    for row in counted:
        rates = list(load.counted.rates(int(row["measured_ms"]), LONGEST_RATE_MS))
        assert any(math.isclose(row["value"], rate, rel_tol=FLOAT32) for rate in rates), (row, rates)


def samples_are_written_once(content: Content) -> None:
    moments = [(row.series, row["measured_ms"]) for row in content.samples]
    assert len(moments) == len(set(moments))


def minutes_count_once(content: Content, *, all_of_them: bool) -> None:
    """Each minute counts the samples within it: `all_of_them`, or at most, where a clock was set back."""
    values: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in content.samples:
        values[row.series, -(-int(row["measured_ms"]) // MINUTE_MS) * MINUTE_MS].append(row)
    for moment, minute in content.minutes.items():
        loads = [row["value"] for row in values[moment]]
        assert minute["count"] <= len(loads), minute
        if all_of_them:
            told = [minute["count"], minute["mean"], minute["max"], minute["last"]]
            known = [len(loads), sum(loads) / len(loads), max(loads), loads[-1]]
            np.testing.assert_allclose(told, known, rtol=FLOAT32)
    if all_of_them:
        until = max(row["measured_ms"] for row in content.samples) - CLOSED_MS
        assert {moment for moment in values if moment[1] <= until} <= content.minutes.keys()


def decisions_follow(content: Content, load: Load) -> None:
    """From what was measured, and the held largest of it."""
    for name in load.policies:
        series, replicas = load.signal(name), load.replicas(name)
        measured = {row["measured_ms"]: row["value"] for row in content.samples if row.series == series}
        wanted = {row.time_ms: row["value"] for row in content.decisions if row.series == replicas}
        for row in content.decisions:
            if row.series != series or not math.isfinite(row["value"]):
                continue
            assert row["raw"] == measured[row["raw_ms"]]
            largest = max(measured.values()) if name == "web" else 2 * HIGH  # which may be forecast
            assert row["raw"] <= row["value"] <= largest
            assert wanted[row.time_ms] == math.ceil(row["value"] / PER_REPLICA[name])


def decisions_never_fall(answers: Iterable[Answer]) -> None:
    """Of no adapter."""
    told: dict[tuple[str, tuple[str, str]], list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.is_number and answer.metric[1].endswith("_scaling"):
            told[answer.adapter, answer.metric].append(answer)
    assert told
    for row in told.values():
        for before, after in pairwise(row):
            assert after.milli >= before.milli, f"{before} falls to {after}"


def nothing_is_lost(before: Content, after: Content) -> None:
    assert before.digests
    assert before.digests <= after.digests


def only_numbers(answers: Sequence[Answer]) -> None:
    """Of an adapter that a fault does not concern."""
    assert answers
    for answer in answers:
        assert answer.is_number or answer.metric == NOT_AWAITED, answer
