from itertools import product

import numpy as np

from predictor.ordering import median_of_seven, sorted_quantiles

# Knuth's zero-one principle: exchanges that sort all rows of zeros and ones sort anything.
FOUR = np.array(list(product([0, 1], repeat=4)), dtype=np.float32).T[None]
SEVEN = np.array(list(product([0, 1], repeat=7)), dtype=np.int16).T


def test_quantiles_come_out_ascending() -> None:
    np.testing.assert_array_equal(sorted_quantiles(FOUR), np.sort(FOUR, axis=1))


def test_the_median_is_the_fourth_of_seven() -> None:
    np.testing.assert_array_equal(median_of_seven(SEVEN), np.median(SEVEN, axis=0))
