"""The full counts of damaged inputs, in slices of a few minutes."""

import pytest

from tests.fuzz.test_requests import fuzz

REQUESTS, REQUESTS_A_SLICE = 1_000_000, 125_000

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("first", range(0, REQUESTS, REQUESTS_A_SLICE))
async def test_a_million_damaged_requests_get_documented_answers(first: int) -> None:
    await fuzz(first, REQUESTS_A_SLICE)
