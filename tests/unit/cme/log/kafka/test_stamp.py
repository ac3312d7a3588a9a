"""The header of a record on Kafka: its bytes, and what is none."""

import pytest

from cme.log.kafka.stamp import Stamp, new_writer, stamp_in
from cme.log.record import RecordDamaged

GOLDEN = [("stamp", bytes.fromhex("0102030405060708 5634120000000000"))]


def test_its_bytes_are_those_of_the_format() -> None:
    stamp = Stamp(bytes(range(1, 9)), 0x123456)
    assert stamp.headers() == GOLDEN
    assert stamp_in([("trace", b"of somebody else's"), *GOLDEN]) == stamp


@pytest.mark.parametrize(
    "headers", [[], [("stamp", b"short")], [*GOLDEN, *GOLDEN]], ids=["none", "short", "two"]
)
def test_a_record_that_none_of_ours_wrote_has_none(headers: list[tuple[str, bytes]]) -> None:
    with pytest.raises(RecordDamaged, match="no stamp"):
        stamp_in(headers)


def test_each_opening_has_a_name_of_its_own() -> None:
    assert len({new_writer() for _ in range(100)}) == 100
