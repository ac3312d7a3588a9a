import pytest

from adapter.api.values import rfc3339


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_800_000_000_000, "2027-01-15T08:00:00Z"),
        (1_800_000_000_999, "2027-01-15T08:00:00Z"),
    ],
)
def test_a_time_is_in_utc_and_whole_seconds(time_ms: int, text: str) -> None:
    assert rfc3339(time_ms) == text
