import math

import numpy as np

from adapter.history import History
from cme.core.batch import series_ids

MINUTE = 60_000


def history(slots: int = 4) -> History:
    return History(MINUTE, slots, ("mean", "max"))


def put(past: History, minute: int, **values: float) -> None:
    """A minute's mean by series `s1`, `s2` ...; the maximum is one more."""
    series = series_ids([int(name[1:]) for name in values])
    mean = np.array(list(values.values()), dtype=np.float32)
    past.put(minute * MINUTE, series, {"mean": mean, "max": mean + 1})


def means(past: History, series: int, since: int = 0) -> list[tuple[int, float]]:
    ends, columns = past.get(series, since * MINUTE)
    return list(zip([end // MINUTE for end in ends], columns["mean"], strict=True))


def test_periods_come_back_in_order_of_time() -> None:
    past = history()
    for minute in (3, 1, 2):
        put(past, minute, s1=10.0 * minute)
    assert means(past, 1) == [(1, 10.0), (2, 20.0), (3, 30.0)]
    assert past.get(1, 0)[1]["max"] == [11.0, 21.0, 31.0]


def test_only_what_ends_after_the_asked_time_comes() -> None:
    past = history()
    for minute in (1, 2, 3):
        put(past, minute, s1=10.0 * minute)
    assert means(past, 1, since=2) == [(3, 30.0)]


def test_the_ring_forgets_as_it_turns() -> None:
    past = history(slots=3)
    for minute in range(1, 8):
        put(past, minute, s1=float(minute))
    assert means(past, 1) == [(5, 5.0), (6, 6.0), (7, 7.0)]


def test_a_period_older_than_the_ring_is_left_out() -> None:
    past = history(slots=3)
    for minute in range(1, 8):
        put(past, minute, s1=float(minute))
    put(past, 2, s1=99.0)
    assert means(past, 1) == [(5, 5.0), (6, 6.0), (7, 7.0)]


def test_a_slot_that_turns_holds_nothing_of_what_was_there() -> None:
    past = history(slots=3)
    put(past, 1, s1=1.0, s2=2.0)
    put(past, 4, s2=5.0)
    assert means(past, 2) == [(4, 5.0)]
    ((_, gap),) = means(past, 1)
    assert math.isnan(gap)


def test_a_correction_changes_its_series_alone() -> None:
    past = history()
    put(past, 1, s1=1.0, s2=2.0)
    put(past, 1, s2=3.0)
    assert (means(past, 1), means(past, 2)) == ([(1, 1.0)], [(1, 3.0)])


def test_a_series_has_gaps_where_it_has_no_value() -> None:
    past = history()
    put(past, 1, s1=1.0)
    put(past, 2, s2=2.0)
    put(past, 3, s1=3.0)
    (_, first), (_, gap), (_, third) = means(past, 1)
    assert (first, third) == (1.0, 3.0)
    assert math.isnan(gap)


def test_an_unknown_series_has_no_past() -> None:
    past = history()
    put(past, 1, s1=1.0)
    assert past.get(9, 0) == ([], {"mean": [], "max": []})


def test_many_series_widen_it_and_none_is_lost() -> None:
    past = history()
    put(past, 1, **{f"s{n}": float(n) for n in range(1, 51)})
    put(past, 2, **{f"s{n}": float(n) for n in range(1, 501)})
    assert means(past, 50) == [(1, 50.0), (2, 50.0)]
    (_, gap), second = means(past, 500)
    assert math.isnan(gap)
    assert second == (2, 500.0)
