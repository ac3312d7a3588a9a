"""Each law finds what breaks it: a run that was good is told with one thing wrong."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cme.collector.records import samples_batch
from cme.collector.rollup import Bucket, rollup_batch
from cme.collector.sampling import Sampled
from cme.core.batch import Batch, series_ids
from cme.core.durations import HOUR_MS, MINUTE_MS
from cme.core.identity import SeriesKey
from cme.core.readings import Flag, Total
from cme.sources.demo import load_at
from tests.chaos import laws
from tests.chaos.content import Content
from tests.chaos.counted import LOW
from tests.chaos.load import PER_REPLICA, Load, measured
from tests.chaos.machine import MachineClock
from tests.chaos.poller import Answer

END_MS = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
TIMES = range(END_MS - 59_000, END_MS + laws.CLOSED_MS + 2_000, 1_000)


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    with measured(MachineClock(tmp_path)) as load:
        for ms in range(TIMES[0] - 1000, TIMES[-1] + 1, 1000):
            load.counted.handed[ms] = LOW * (ms - TIMES[0]) / 1000
        yield load


def web(ms: int) -> float:
    return float(load_at("tide", np.array([ms / 1000]))[0])


def sample(load: Load, ms: int, factor: float = 1, shift_ms: int = 0) -> Batch:
    """Of both workloads; `factor` times what was counted, and `shift_ms` later than the load that it tells."""
    loads = {"web": web(ms), "shop": factor * LOW}
    rows = [
        (
            SeriesKey(policy.workload, policy.spec.signals[0].name),
            Sampled(Total(loads[name], ms + shift_ms, 1, Flag.NONE), "", ()),
        )
        for name, policy in load.policies.items()
    ]
    return samples_batch(ms, 1, rows)


def minute(load: Load, count: int = 60) -> Batch:
    buckets = {name: Bucket() for name in load.policies}
    for ms in range(END_MS - 59_000, END_MS + 1, 1_000):
        buckets["web"].add(ms, web(ms))
        buckets["shop"].add(ms, LOW)
    for bucket in buckets.values():
        bucket.count = count
    return rollup_batch("minutes", END_MS, [load.signal(name) for name in load.policies], buckets.values())


def decision(load: Load, ms: int, more: int = 0) -> Batch:
    """With `more` replicas than are called for."""
    values = {"web": web(ms), "shop": LOW}
    replicas = [math.ceil(values[name] / PER_REPLICA[name]) + more for name in load.policies]
    series = [of(name) for of in (load.signal, load.replicas) for name in load.policies]
    told, absent = [*values.values(), *replicas], np.full(4, np.nan)
    columns = {
        "value": np.array(told, dtype=float),
        "raw": np.array([*values.values(), np.nan, np.nan]),
        "raw_ms": np.full(4, ms),
        "predicted": absent,
        "predicted_ms": np.full(4, 0),
    }
    return Batch("decisions", ms, series_ids(series), columns)


def good(load: Load) -> list[Batch]:
    samples = [sample(load, ms) for ms in TIMES]
    return [*samples, minute(load), *(decision(load, ms) for ms in TIMES)]


def told(batches: Sequence[Batch], load: Load) -> None:
    """Hold the log's laws."""
    content = Content(batches)
    laws.samples_are_written_once(content)
    laws.samples_are_the_load(content, load)
    laws.minutes_count_once(content, all_of_them=True)
    laws.decisions_follow(content, load)


def test_a_good_log_breaks_no_law(load: Load) -> None:
    told(good(load), load)


@pytest.mark.parametrize("wrong", [0.5, 1.01, 2])
def test_a_wrong_rate_is_found(load: Load, wrong: float) -> None:
    with pytest.raises(AssertionError):
        laws.samples_are_the_load(Content([*good(load), sample(load, TIMES[-1], wrong)]), load)


def test_a_load_of_another_time_is_found(load: Load) -> None:
    with pytest.raises(AssertionError):
        laws.samples_are_the_load(Content([sample(load, TIMES[-2], shift_ms=1000)]), load)


def test_a_sample_that_is_written_twice_is_found(load: Load) -> None:
    with pytest.raises(AssertionError):
        laws.samples_are_written_once(Content([*good(load), sample(load, TIMES[3])]))


@pytest.mark.parametrize("count", [59, 61, 120])
def test_a_wrong_count_is_found(load: Load, count: int) -> None:
    with pytest.raises(AssertionError):
        laws.minutes_count_once(Content([*good(load), minute(load, count)]), all_of_them=True)


def test_a_minute_that_is_not_there_is_found(load: Load) -> None:
    batches = [batch for batch in good(load) if batch.topic != "minutes"]
    with pytest.raises(AssertionError):
        laws.minutes_count_once(Content(batches), all_of_them=True)


def test_a_minute_that_counts_too_much_is_found_where_a_clock_was_set(load: Load) -> None:
    laws.minutes_count_once(Content([*good(load), minute(load, 50)]), all_of_them=False)
    with pytest.raises(AssertionError):
        laws.minutes_count_once(Content([*good(load), minute(load, 61)]), all_of_them=False)


def test_a_decision_that_does_not_follow_is_found(load: Load) -> None:
    with pytest.raises(AssertionError):
        laws.decisions_follow(Content([*good(load), decision(load, TIMES[-1], more=1)]), load)


def test_a_lost_record_is_found(load: Load) -> None:
    batches = good(load)
    laws.nothing_is_lost(Content(batches[:-1]), Content(batches))
    with pytest.raises(AssertionError):
        laws.nothing_is_lost(Content(batches), Content(batches[1:]))


def answer(milli: int, measured_ms: int, metric: str = "hits", age_ms: int = 3_000) -> Answer:
    """Asked for so long after the measurement."""
    moment = time.gmtime(measured_ms // 1000)
    item = {"value": f"{milli}m", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)}
    body = json.dumps({"kind": "MetricValueList", "items": [item]}).encode()
    asked_ms, now_s = measured_ms + age_ms, time.monotonic()
    return Answer("up", ("shop", metric), now_s, now_s, asked_ms, asked_ms, 200, body)


def test_a_number_that_is_not_in_the_log_is_found(load: Load) -> None:
    content, at = Content(good(load)), TIMES[5]
    laws.numbers_are_in_the_log([answer(21_000, at), answer(6_000, at, "replicas_scaling")], content, load)
    for wrong in (answer(21_001, at), answer(21_000, at - HOUR_MS), answer(7_000, at, "replicas_scaling")):
        with pytest.raises(AssertionError):
            laws.numbers_are_in_the_log([wrong], content, load)


@pytest.mark.parametrize("age_ms", [-2_000, 12_000])
def test_a_number_of_the_future_or_too_old_is_found(load: Load, age_ms: int) -> None:
    laws.numbers_are_fresh([answer(1, END_MS)], load)
    with pytest.raises(AssertionError):
        laws.numbers_are_fresh([answer(1, END_MS, age_ms=age_ms)], load)


def test_a_clock_that_was_just_set_tells_two_times(load: Load) -> None:
    load.clock.jump(HOUR_MS)
    laws.numbers_are_fresh([answer(1, END_MS), answer(1, END_MS + HOUR_MS, age_ms=3_000 - HOUR_MS)], load)
    long_ago = replace(answer(1, END_MS), asked_s=time.monotonic() + 60, answered_s=time.monotonic() + 60)
    with pytest.raises(AssertionError):
        laws.numbers_are_fresh([long_ago], load)


def test_what_a_clock_was_set_beyond_came_with_that(load: Load) -> None:
    """As the end of a minute that was closed by it; and nothing else of a time to come, or old."""
    load.clock.jump(HOUR_MS)
    beyond = answer(1, END_MS, age_ms=-50_000)
    laws.numbers_are_fresh([beyond, later(beyond, 9)], load)
    for wrong in (
        later(beyond, 12),
        answer(1, END_MS, age_ms=-HOUR_MS - 2_000),
        answer(1, END_MS, age_ms=12_000),
    ):
        with pytest.raises(AssertionError):
            laws.numbers_are_fresh([wrong], load)


def later(one: Answer, seconds: int) -> Answer:
    """The same, asked for and told so much later."""
    moment_s, moment_ms = one.asked_s + seconds, one.asked_ms + 1000 * seconds
    return replace(one, asked_s=moment_s, answered_s=moment_s, asked_ms=moment_ms, answered_ms=moment_ms)


def test_a_falling_decision_is_found() -> None:
    rising = [answer(milli, END_MS, "replicas_scaling") for milli in (6_000, 6_000, 11_000)]
    laws.decisions_never_fall(rising)
    with pytest.raises(AssertionError):
        laws.decisions_never_fall([*rising, rising[0]])


def test_an_error_that_is_no_status_is_found() -> None:
    status = {"kind": "Status", "status": "Failure", "code": 503, "message": "no fresh value"}
    good = replace(answer(1, END_MS), code=503, body=json.dumps(status).encode())
    laws.errors_say_what_they_are([good])
    for wrong in ({"message": ""}, {"code": 200}, {"kind": "MetricValueList"}):
        with pytest.raises(AssertionError):
            laws.errors_say_what_they_are([replace(good, body=json.dumps(status | wrong).encode())])


def test_a_zero_is_found() -> None:
    with pytest.raises(AssertionError):
        laws.numbers_are_not_zero([answer(0, END_MS)])


def test_an_error_of_an_adapter_that_is_not_concerned_is_found() -> None:
    laws.only_numbers([answer(1, END_MS)])
    with pytest.raises(AssertionError):
        laws.only_numbers([replace(answer(1, END_MS), code=503)])
