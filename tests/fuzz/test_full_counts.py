"""The full counts of damaged inputs, in slices of a few minutes."""

from pathlib import Path

import pytest

from tests.fuzz import test_policies, test_requests

REQUESTS, REQUESTS_A_SLICE = 1_000_000, 125_000
POLICIES, POLICIES_A_SLICE = 100_000, 12_500

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("first", range(0, REQUESTS, REQUESTS_A_SLICE))
async def test_a_million_damaged_requests_get_documented_answers(first: int) -> None:
    await test_requests.fuzz(first, REQUESTS_A_SLICE)


@pytest.mark.parametrize("first", range(0, POLICIES, POLICIES_A_SLICE))
def test_100_000_damaged_policies_are_refused_or_work(first: int, tmp_path: Path) -> None:
    test_policies.fuzz(first, POLICIES_A_SLICE, tmp_path)


def test_every_field_takes_or_refuses_every_strange_value(tmp_path: Path) -> None:
    test_policies.fuzz_fields(tmp_path)
