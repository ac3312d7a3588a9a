from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictor.lookup import Lookup


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=5), max_size=60))
def test_it_gives_what_it_was_given_however_many_lists_there_are(asked: Sequence[list[int]]) -> None:
    rows: dict[int, int] = {}

    def rows_of(ids: list[int]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        return np.array([rows.setdefault(one, len(rows)) for one in ids], dtype=np.intp)

    lookup = Lookup(rows_of)
    for ids in [*asked, *asked]:
        assert lookup(np.array(ids, dtype=np.uint64)).tolist() == [rows[one] for one in ids]
