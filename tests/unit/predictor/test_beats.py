"""Minutes that come in order, late, twice, corrected or not at all."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cme.collector.rollup import Bucket, rollup_batch
from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from cme.core.readings import Flag
from predictor import beats as module
from predictor.arrays import Floats
from predictor.history import Bin
from tests.unit.predictor.stage import START, minute


class ClosedBeat(NamedTuple):
    """A closed beat by series id."""

    beat: int
    last: dict[int, float]
    largest: dict[int, float]
    saturated: tuple[int, ...] = ()


class Beats:
    """Beats whose rows are told apart by series id again."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._beats = module.Beats(self._rows)

    def add(self, minute: Batch) -> list[ClosedBeat]:
        return [
            ClosedBeat(
                one.beat, self._named(one.seen.last), self._named(one.seen.largest), self._marked(one.seen)
            )
            for one in self._beats.add(minute)
        ]

    def largest(self) -> dict[int, float]:
        return self._named(self._beats.largest(len(self.ids)))

    @property
    def beat(self) -> int:
        return self._beats.beat

    @property
    def late(self) -> int:
        return self._beats.late

    def _rows(self, ids: list[int]) -> NDArray[np.intp]:
        self.ids += [one for one in ids if one not in self.ids]
        return np.array([self.ids.index(one) for one in ids], dtype=np.intp)

    def _marked(self, seen: Bin) -> tuple[int, ...]:
        assert seen.saturated is not None
        return tuple(self.ids[i] for i in np.flatnonzero(seen.saturated))

    def _named(self, row: Floats) -> dict[int, float]:
        assert row.dtype == np.float32
        return {self.ids[i]: float(value) for i, value in enumerate(row) if np.isfinite(value)}


def at(number: int, **means: float) -> Batch:
    """The minute that ends at minute `number`; beat 0 is minutes 1 to 5."""
    return minute(number * MINUTE_MS, **means)


def closed(beats: Beats, *minutes: Batch) -> list[ClosedBeat]:
    return [beat for one in minutes for beat in beats.add(one)]


def test_a_beat_closes_with_its_fifth_minute() -> None:
    beats = Beats()
    assert closed(beats, *(at(n, s1=float(n)) for n in range(1, 5))) == []
    assert closed(beats, at(5, s1=2.0)) == [ClosedBeat(0, {1: 2.0}, {1: 14.0})]
    assert closed(beats, *(at(n, s1=1.0) for n in range(6, 11))) == [ClosedBeat(1, {1: 1.0}, {1: 11.0})]


def test_after_a_gap_the_next_minute_closes_the_beat() -> None:
    beats = Beats()
    closed(beats, at(1, s1=9.0), at(2, s1=3.0))
    assert closed(beats, at(33, s1=5.0)) == [ClosedBeat(0, {1: 3.0}, {1: 19.0})]
    assert beats.beat == 6


def test_a_beat_that_ends_after_a_gap_closes_together_with_the_one_before() -> None:
    beats = Beats()
    closed(beats, at(3, s1=3.0))
    assert [beat.beat for beat in closed(beats, at(20, s1=4.0))] == [0, 3]


def test_a_beat_of_one_minute_is_a_beat() -> None:
    assert closed(Beats(), at(5, s1=2.0)) == [ClosedBeat(0, {1: 2.0}, {1: 12.0})]


def test_minutes_of_a_beat_may_come_out_of_order() -> None:
    ordered, mixed = Beats(), Beats()
    minutes = [at(n, s1=10.0 * n) for n in range(1, 5)]
    last = at(5, s1=1.0)
    assert closed(ordered, *minutes, last) == closed(mixed, *reversed(minutes), last)


def test_a_minute_of_a_closed_beat_is_counted_as_late_and_changes_nothing() -> None:
    beats = Beats()
    closed(beats, *(at(n, s1=1.0) for n in range(1, 6)))
    assert closed(beats, at(5, s1=99.0), at(3, s1=99.0)) == []
    assert beats.late == 2
    assert closed(beats, *(at(n, s1=1.0) for n in range(6, 11))) == [ClosedBeat(1, {1: 1.0}, {1: 11.0})]


def test_a_correction_of_an_open_beat_replaces_the_minute() -> None:
    beats = Beats()
    closed(beats, at(1, s1=50.0), at(2, s1=3.0))
    closed(beats, at(1, s1=7.0))
    assert closed(beats, at(5, s1=3.0)) == [ClosedBeat(0, {1: 3.0}, {1: 17.0})]
    assert beats.late == 0


def test_a_correction_leaves_the_other_series_as_they_were() -> None:
    beats = Beats()
    closed(beats, at(4, s1=1.0, s2=20.0))
    closed(beats, at(4, s1=5.0, s3=6.0))
    (beat,) = closed(beats, at(5, s1=2.0))
    assert beat == ClosedBeat(0, {1: 2.0, 2: 20.0, 3: 6.0}, {1: 15.0, 2: 30.0, 3: 16.0})


def test_a_series_that_ends_within_a_beat_counts_with_its_last_minute() -> None:
    (beat,) = closed(Beats(), at(1, s1=1.0, s2=2.0), at(5, s1=3.0))
    assert beat.last == {1: 3.0, 2: 2.0}


def test_the_largest_is_that_of_the_newest_beat_so_far() -> None:
    beats = Beats()
    assert beats.largest() == {}
    closed(beats, at(1, s1=50.0, s2=2.0), at(2, s1=3.0), at(1, s2=4.0))
    assert beats.largest() == {1: 60.0, 2: 14.0}
    closed(beats, at(5, s1=3.0))
    assert beats.largest() == {1: 60.0, 2: 14.0}
    closed(beats, at(6, s1=4.0))
    assert beats.largest() == {1: 14.0}


@given(
    loads=st.lists(st.floats(0, 1e6, width=32), min_size=25, max_size=25),
    kept=st.sets(st.integers(1, 25)),
    twice=st.sets(st.integers(1, 25)),
)
def test_the_same_minutes_make_the_same_beats_however_often_each_comes(
    loads: Sequence[float], kept: set[int], twice: set[int]
) -> None:
    once = [at(n, s1=loads[n - 1]) for n in sorted(kept)]
    repeated = [m for m in once for _ in range(2 if m.time_ms // MINUTE_MS in twice else 1)]
    first, second = Beats(), Beats()
    end = at(31, s1=0.0)
    beats = closed(first, *once, end)
    assert closed(second, *repeated, end) == beats
    assert [beat.beat for beat in beats] == sorted({(n - 1) // 5 for n in kept})
    for beat in beats:
        means = [loads[n - 1] for n in sorted(kept) if (n - 1) // 5 == beat.beat]
        assert beat.last == {1: means[-1]}
        assert beat.largest == {1: float(np.float32(max(means) + 10))}


def test_the_mean_of_a_beat_is_that_of_the_minutes_there_were() -> None:
    made = module.Beats(lambda ids: np.array([one - 1 for one in ids], dtype=np.intp))
    for one in (at(1, s1=1.0, s2=5.0), at(4, s1=4.0)):
        assert not made.add(one)
    (beat,) = made.add(at(6, s1=9.0))
    np.testing.assert_array_equal(beat.seen.mean, [2.5, 5.0])


def test_a_series_that_comes_later_widens_the_row() -> None:
    seen = module.widened(Bin(*[np.ones(1, dtype=np.float32)] * 3), 3)
    np.testing.assert_array_equal(seen.last, [1.0, np.nan, np.nan])


@given(st.lists(st.sampled_from([Flag.NONE, Flag.ESTIMATED, Flag.SATURATED]), min_size=5, max_size=5))
def test_a_beat_is_saturated_when_any_of_its_minutes_is(flags: list[Flag]) -> None:
    beats = Beats()
    for number, flag in enumerate(flags):
        end = START + (number + 1) * MINUTE_MS
        full, calm = Bucket(1.0, 1.0, 1.0, end, 1, int(flag)), Bucket(1.0, 1.0, 1.0, end, 1)
        closed = beats.add(rollup_batch("minutes", end, [7, 8], [full, calm]))
    (beat,) = closed
    assert beat.saturated == ((7,) if Flag.SATURATED in flags else ())


def test_a_series_that_joins_later_was_not_saturated_before() -> None:
    beats = Beats()
    end = START + MINUTE_MS
    beats.add(rollup_batch("minutes", end, [7], [Bucket(1.0, 1.0, 1.0, end, 1, int(Flag.SATURATED))]))
    (beat,) = beats.add(minute(START + 5 * MINUTE_MS, s7=1.0, s8=1.0))
    assert beat.saturated == (7,)
    seen = module.widened(Bin(*[np.ones(1, dtype=np.float32)] * 3, saturated=np.array([True])), 3).saturated
    assert seen is not None
    assert seen.tolist() == [True, False, False]
