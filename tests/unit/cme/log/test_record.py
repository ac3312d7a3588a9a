"""The bytes of a record: pinned by a golden file, and damaged in every way."""

import itertools
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.batch import COLUMN_TYPES, Batch, Column, series_ids
from cme.log import record
from cme.log.protocol import MAX_RECORD_BYTES
from cme.log.record import HEADER_BYTES, RecordDamaged, decode, encode, header_at, split
from tests.unit.cme.log.golden import (
    GOLDEN,
    GOLDEN_PACKED,
    SEQ,
    as_lines,
    golden_batch,
    packed,
    packed_as,
    plain,
    signed,
)

INT64 = st.integers(-(2**63), 2**63 - 1)


def column(kind: "np.dtype[Any] | None", rows: int) -> st.SearchStrategy[Column]:
    """Of texts when `kind` is None."""
    if kind is None:
        return st.lists(st.text(max_size=9), min_size=rows, max_size=rows).map(tuple)
    size = rows * kind.itemsize
    return st.binary(min_size=size, max_size=size).map(lambda data: np.frombuffer(data, kind))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    rows = draw(st.integers(0, 5))
    kinds = draw(st.dictionaries(st.text(max_size=9), st.sampled_from([*COLUMN_TYPES, None]), max_size=4))
    return Batch(
        draw(st.sampled_from(["samples", "policies", "decisions"])),
        draw(INT64),
        series_ids(draw(st.lists(st.integers(0, 2**64 - 1), min_size=rows, max_size=rows))),
        {name: draw(column(kind, rows)) for name, kind in kinds.items()},
        draw(st.text(max_size=9)),
        draw(st.integers(0, 2**64 - 1)),
    )


def same(one: Batch, other: Batch) -> bool:
    return encode(one) == encode(other) and list(one.columns) == list(other.columns)


def test_the_bytes_are_those_of_version_1() -> None:
    assert as_lines(encode(golden_batch(), SEQ)) == GOLDEN.read_text()
    assert same(decode(bytes.fromhex(GOLDEN.read_text()), SEQ), golden_batch())


def test_the_bytes_of_version_2_are_read() -> None:
    """What packs them may differ; the same bytes always mean the same."""
    assert same(decode(bytes.fromhex(GOLDEN_PACKED.read_text()), SEQ), golden_batch())


def test_the_description_of_the_format_shows_the_golden_records() -> None:
    described = (Path(record.__file__).parent / "FORMAT.md").read_text()
    assert GOLDEN.read_text() in described
    assert GOLDEN_PACKED.read_text() in described


@given(batches(), st.integers(1, 2**63 - 1))
def test_what_is_encoded_is_decoded(batch: Batch, seq: int) -> None:
    data = encode(batch, seq)
    assert same(decode(data, seq), batch)
    assert header_at(data).length == len(data)


@given(batches(), st.integers(1, 2**63 - 1))
def test_what_is_packed_means_the_same(batch: Batch, seq: int) -> None:
    record = plain(encode(batch, seq))
    data = packed(record)
    assert same(decode(data, seq), batch)
    assert header_at(data) == header_at(record)._replace(length=len(data))


def test_decisions_are_packed() -> None:
    rows = np.arange(1_000, dtype=np.uint64)
    whole = Batch("decisions", 1, rows, {"value": rows.astype(np.float64), "reasons": rows.astype(np.int64)})
    data = encode(whole)
    assert data.startswith(b"TCR2")
    assert len(data) < len(plain(data)) / 3
    assert len(encode(replace(whole, topic="samples"))) == len(plain(data))


@pytest.mark.parametrize("of", [bytes, packed], ids=["plain", "packed"])
def test_any_flipped_byte_is_detected(of: Callable[[bytes], bytes]) -> None:
    data = bytearray(of(encode(golden_batch(), SEQ)))
    for at, by in itertools.product(range(len(data)), (1, 3, 128, 255)):  # 3: from one version to the other
        data[at] ^= by
        with pytest.raises(RecordDamaged):
            decode(bytes(data), SEQ)
        data[at] ^= by


@given(st.data(), batches())
def test_a_hostile_record_is_refused_or_read_but_never_breaks(data: Any, batch: Batch) -> None:
    body = bytearray(plain(encode(batch))[8:])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(0, len(body)))] + data.draw(st.binary(max_size=9))
    hostile = signed(b"TCR1", bytes(body))
    try:
        decoded = decode(hostile)
    except RecordDamaged:
        return
    assert len(plain(encode(decoded))) == len(hostile)


@given(st.data(), batches())
def test_so_is_a_hostile_packed_one(data: Any, batch: Batch) -> None:
    record = plain(encode(batch))
    start = HEADER_BYTES + header_at(record).key_bytes
    content = bytearray(record[start:])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    stream = bytearray(zlib.compress(content))
    stream[data.draw(st.integers(0, len(stream) - 1))] ^= data.draw(st.sampled_from([0, 0, 0, 1, 64]))
    try:
        decoded = decode(packed_as(record, bytes(stream)))
    except RecordDamaged:
        return
    assert plain(encode(decoded))[HEADER_BYTES:] == record[HEADER_BYTES:start] + content


@pytest.mark.parametrize(
    "stream",
    [
        zlib.compress(bytes(10 * MAX_RECORD_BYTES)),
        zlib.compress(bytes(9)) + b"more",
        zlib.compress(bytes(9))[:-1],
        b"not a stream",
    ],
    ids=["too large", "more behind it", "cut short", "none"],
)
def test_a_packed_part_that_is_not_one_is_refused(stream: bytes) -> None:
    with pytest.raises(RecordDamaged, match="its structure does not fit"):
        decode(packed_as(encode(golden_batch()), stream))


@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(RecordDamaged):
        decode(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "only 0 bytes"),
        (b"TCR3" + bytes(50), "begins with"),
        (encode(golden_batch(), SEQ)[:-1], "CRC"),
    ],
)
def test_the_problem_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(RecordDamaged, match=problem):
        decode(data)


def test_a_moved_record_is_detected_but_one_without_number_is_not() -> None:
    with pytest.raises(RecordDamaged, match="number 7, stored as 8"):
        decode(encode(golden_batch(), SEQ), 8)
    assert same(decode(encode(golden_batch()), 8), golden_batch())


@pytest.mark.parametrize("max_bytes", [200, 1000, 10**6])
def test_split_keeps_all_rows_in_order_within_the_size(max_bytes: int) -> None:
    rows = 100
    texts = tuple("x" * (i % 50) for i in range(rows))
    whole = Batch("minutes", 1, np.arange(rows, dtype=np.uint64), {"text": texts})
    parts = split(whole, max_bytes)
    assert all(len(encode(part)) <= max_bytes for part in parts)
    assert [i for part in parts for i in part.series.tolist()] == list(range(rows))
    assert tuple(text for part in parts for text in part.texts("text")) == texts


def test_a_row_or_a_head_that_is_too_large_is_named() -> None:
    whole = Batch("minutes", 1, series_ids([5, 6]), {"text": ("", "x" * 500)})
    with pytest.raises(ValueError, match="row of series 6 of minutes"):
        split(whole, 300)
    with pytest.raises(ValueError, match="head of minutes"):
        split(Batch("minutes", 1, series_ids([]), {"name" * 50: ()}), 100)


@pytest.mark.parametrize("size", [256, 70_000])
def test_what_does_not_fit_into_the_layout_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=r"255 bytes|does not fit"):
        encode(Batch("minutes", 1, series_ids([]), {"c" * size: ()} if size == 256 else {}, key="k" * size))
