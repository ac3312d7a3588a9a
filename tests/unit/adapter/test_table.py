import numpy as np
import pytest

from adapter.table import Index, Table
from cme.core.batch import series_ids


def test_a_series_keeps_its_row() -> None:
    index = Index()
    assert index.rows(series_ids([7, 9])).tolist() == [0, 1]
    assert index.rows(series_ids([9, 8, 7])).tolist() == [1, 2, 0]
    assert (index.row(8), index.row(1), len(index)) == (2, None, 3)


def test_many_different_batches_forget_no_row() -> None:
    index = Index()
    for first in range(1_000):
        index.rows(series_ids([first, first + 1]))
    assert [index.row(series) for series in (0, 1, 500, 1_000)] == [0, 1, 500, 1_000]
    assert index.rows(series_ids([3, 2])).tolist() == [3, 2]


def test_ids_of_64_bits_are_told_apart() -> None:
    index = Index()
    assert index.rows(series_ids([2**64 - 1, 2**64 - 2, 2**63])).tolist() == [0, 1, 2]


@pytest.mark.parametrize("count", [1, 64, 65, 1_000])
def test_columns_grow_and_keep_what_they_have(count: int) -> None:
    table = Table({"value": ("float64", np.nan), "time": ("int64", -5), "text": ("object", "none")})
    rows = table.rows(series_ids([1]))
    table["value"][rows], table["time"][rows], table["text"][rows] = 2.5, 7, "one"
    table.rows(series_ids(list(range(2, count + 2))))
    assert (table.get("value", 1), table.get("time", 1), table.get("text", 1)) == (2.5, 7, "one")
    assert np.isnan(table.get("value", count + 1))
    assert (table.get("time", count + 1), table.get("text", count + 1)) == (-5, "none")


def test_an_unknown_series_has_nothing() -> None:
    table = Table({"time": ("int64", -5), "text": ("object", "")})
    assert (table.get("time", 99), table.get("text", 99)) == (-5, "")


def test_one_value_is_a_python_object() -> None:
    table = Table({"time": ("int64", 0), "value": ("float32", 0)})
    table.rows(series_ids([1]))
    assert type(table.get("time", 1)) is int
    assert type(table.get("value", 1)) is float
