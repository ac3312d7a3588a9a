import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.collector.sampling import Sampled, Sampler
from cme.core.rates import LARGEST, Refusal
from cme.core.readings import Flag, Harvest, Reading

NOW_MS = 1_700_000_000_000
PARTS = [f"pod-{i}" for i in range(10)]


def sampler() -> Sampler:
    return Sampler(window_ms=30_000, max_gap_ms=90_000)


def gauges(*values: float, expected: int = 0, failures: tuple[str, ...] = ()) -> Harvest:
    readings = [Reading(part, value, NOW_MS) for part, value in zip(PARTS, values, strict=False)]
    return Harvest(readings, {"": expected or len(values)}, failures)


def counters(time_ms: int, **values: float) -> Harvest:
    readings = [Reading(part, value, time_ms) for part, value in values.items()]
    return Harvest(readings, {"": len(values)}, counters=True)


def load(sampled: Sampled) -> float | None:
    return sampled.total.value if sampled.total else None


def sample(harvest: Harvest, workload: str = "") -> Sampled:
    return sampler().sample(harvest, workload, NOW_MS)


def test_the_load_is_the_sum_of_the_parts() -> None:
    sampled = sample(gauges(1, 2, 3))
    assert sampled.total is not None
    assert (sampled.total.value, sampled.total.coverage, sampled.total.flags) == (6.0, 1.0, Flag.NONE)
    assert (sampled.problem, sampled.refusals) == ("", ())


@pytest.mark.parametrize(("answered", "value"), [(10, 10.0), (8, 10.0), (7, None), (1, None), (0, None)])
def test_from_four_fifths_of_the_parts_on_the_sum_is_scaled_up(answered: int, value: float | None) -> None:
    sampled = sample(gauges(*[1.0] * answered, expected=10))
    assert load(sampled) == value
    assert (sampled.problem == "") == (value is not None)
    if sampled.total is not None:
        assert sampled.total.flags == (Flag.NONE if answered == 10 else Flag.ESTIMATED)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=10),
    st.integers(0, 15),
)
def test_whatever_is_read_gives_a_finite_load_or_a_problem(values: list[float], expected: int) -> None:
    sampled = sample(gauges(*values, expected=expected))
    good = [v for v in values if 0 <= v <= LARGEST]
    assert len(sampled.refusals) == len(values) - len(good)
    if sampled.total is None:
        assert sampled.problem
        assert len(good) < 0.8 * max(expected, len(values), 1)
    else:
        assert math.isfinite(sampled.total.value)
        assert sampled.total.value >= 0


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        (math.nan, "nan"),
        (math.inf, "infinite"),
        (-math.inf, "infinite"),
        (2 * LARGEST, "infinite"),
        (-1, "negative"),
    ],
)
def test_a_refused_value_is_named_and_is_a_part_that_failed(value: float, refusal: str) -> None:
    alone = sample(gauges(value))
    assert (alone.total, alone.problem) == (None, f"its value was refused: {refusal}")
    among = sample(gauges(1, 1, 1, 1, value))
    assert (load(among), among.problem, among.refusals) == (5.0, "", (Refusal(refusal),))


def test_a_failure_is_told_with_the_rule_it_broke() -> None:
    sampled = sample(gauges(1, expected=3, failures=("two is down", "one is down")))
    assert sampled.problem == "one is down (fewer than 80% of its parts answered)"


def test_missing_parts_without_a_failure_are_counted() -> None:
    assert sample(gauges(1, expected=3)).problem == "1 of 3 parts answered"


def test_a_workload_gets_its_own_readings_only() -> None:
    readings = [Reading("a", 5.0, NOW_MS, "a"), Reading("b", 7.0, NOW_MS, "b")]
    harvest = Harvest(readings, {"a": 1, "b": 1, "c": 1}, ["app='c' is told twice", "another"])
    assert load(sample(harvest, "a")) == 5.0
    assert load(sample(harvest, "b")) == 7.0
    assert sample(harvest, "c").problem.startswith("app='c' is told twice")
    assert sample(harvest, "d").problem == "the query returned nothing for workload 'd'"


def test_the_oldest_part_gives_the_time_and_none_is_in_the_future() -> None:
    old, new = Reading("a", 1.0, NOW_MS - 5_000), Reading("b", 1.0, NOW_MS)
    ahead = Reading("c", 1.0, 2**70)
    first = sample(Harvest([new, old, ahead], {"": 3})).total
    second = sample(Harvest([ahead], {"": 1})).total
    assert (first and first.time_ms, second and second.time_ms) == (NOW_MS - 5_000, NOW_MS)


def test_counters_need_a_second_reading_then_are_rates() -> None:
    one = sampler()
    first = one.sample(counters(NOW_MS, a=1_000, b=50), "", NOW_MS)
    assert (first.total, first.problem) == (None, "a rate needs a second reading; wait for the next tick")
    assert first.refusals == (Refusal.FIRST, Refusal.FIRST)
    second = one.sample(counters(NOW_MS + 10_000, a=1_100, b=70), "", NOW_MS + 10_000)
    assert load(second) == 12.0


def test_a_part_that_restarts_counts_from_zero() -> None:
    one = sampler()
    one.sample(counters(NOW_MS, a=1_000_000, b=50), "", NOW_MS)
    assert load(one.sample(counters(NOW_MS + 10_000, a=30, b=60), "", NOW_MS + 10_000)) == 4.0


def test_a_part_that_appears_makes_no_jump() -> None:
    one = sampler()
    for tick, extra in enumerate([{}, {}, {"f": 9e9}, {"f": 9e9 + 100}]):
        now = NOW_MS + tick * 10_000
        harvest = counters(now, **dict.fromkeys("abcde", 100.0 * tick), **extra)
        sampled = one.sample(harvest, "", now)
        if tick == 2:
            # Five of six: its own rate is unknown still, and taken to be that of the others.
            assert load(sampled) == pytest.approx(60.0)
    assert load(sampled) == pytest.approx(60.0)


def test_a_part_that_was_silent_keeps_its_window_within_the_gap() -> None:
    one = sampler()
    one.sample(counters(NOW_MS, a=0), "", NOW_MS)
    one.sample(Harvest([], {"": 1}, ["down"], counters=True), "", NOW_MS + 10_000)
    assert load(one.sample(counters(NOW_MS + 20_000, a=200), "", NOW_MS + 20_000)) == 10.0
    late = one.sample(counters(NOW_MS + 200_000, a=9e9), "", NOW_MS + 200_000)
    assert (late.total, late.problem) == (None, "its value was refused: gap")


def test_parts_of_yesterday_are_forgotten() -> None:
    one = sampler()
    for tick in range(500):
        now = NOW_MS + tick * 10_000
        one.sample(counters(now, **{f"pod-{tick}": 1.0, "stays": tick * 100.0}), "", now)
    assert len(one._counters) <= 20
    sampled = one.sample(counters(now + 10_000, stays=50_000), "", now + 10_000)
    assert load(sampled) == 10.0


def test_the_text_is_the_same_while_the_cause_is() -> None:
    one, texts = sampler(), set()
    for tick in range(3):
        now = NOW_MS + tick * 10_000
        harvest = Harvest([Reading("a", math.nan, now), Reading("b", tick, now)], {"": 2})
        texts.add(one.sample(harvest, "", now).problem)
    assert texts == {"its value was refused: nan"}


def test_a_clock_that_is_set_back_costs_one_reading() -> None:
    one = sampler()
    one.sample(counters(NOW_MS, a=100), "", NOW_MS)
    back = NOW_MS - 3_600_000
    first = one.sample(counters(back, a=200), "", back)
    assert (first.total, first.problem) == (None, "its value was refused: gap")
    assert load(one.sample(counters(back + 10_000, a=300), "", back + 10_000)) == 10.0


def test_a_value_handed_on_twice_is_refused_and_harmless() -> None:
    one = sampler()
    one.sample(counters(NOW_MS, a=100), "", NOW_MS)
    again = one.sample(counters(NOW_MS, a=100), "", NOW_MS + 10_000)
    assert (again.total, again.refusals) == (None, (Refusal.DUPLICATE,))
    assert load(one.sample(counters(NOW_MS + 20_000, a=300), "", NOW_MS + 20_000)) == 10.0
