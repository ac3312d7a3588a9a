"""Reading SQLite's write-ahead log without SQLite, which ignores all frames from the first bad one on.

Source: https://sqlite.org/fileformat2.html#walformat. A WAL is a header of 32 bytes and frames of 24 + 4096
bytes. Every frame carries the salts of its generation and a checksum that continues its predecessor's. As
that one is stored too, each frame can be checked alone, and good frames behind a bad one be recognized.
"""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cme.log.statements import PAGE_BYTES

HEADER_BYTES = 32
FRAME_BYTES = 24 + PAGE_BYTES
_MAGIC = 0x377F0682  # its lowest bit says that checksums read words as big-endian

_U32 = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Frame:
    """One page of one transaction. `commit` is the size of the database in pages, 0 but in the last frame."""

    page_number: int
    commit: int
    page: memoryview
    good: bool  # its checksum fits


@dataclass(frozen=True, slots=True)
class Wal:
    """The frames of the current generation up to its last commit, and what is wrong with them ("" if nothing)."""

    frames: list[Frame]
    problem: str = ""


def read_wal(data: bytes) -> Wal:
    """The frames that were committed, damaged ones included. A torn tail, which a kill leaves, is no problem."""
    count = (len(data) - HEADER_BYTES) // FRAME_BYTES
    if count <= 0:
        return Wal([])
    view = memoryview(data)
    header = np.frombuffer(data, ">u4", 8)
    rows = np.frombuffer(data, np.uint8, count * FRAME_BYTES, HEADER_BYTES).reshape(count, FRAME_BYTES)
    fields = rows[:, :24].copy().view(">u4")
    order = ">" if _byte_order_is_big(header) else "<"
    header_good = _checksums(data[:24], order, np.zeros((1, 2), np.uint32))[0].tolist() == header[6:].tolist()
    before = np.vstack([header[6:], fields[:-1, 4:]]).astype(np.uint32)
    words = np.hstack([rows[:, :8], rows[:, 24:]]).tobytes()
    good = (_checksums(words, order, before) == fields[:, 4:]).all(axis=1)
    salts = header[4:6] if header_good else fields[0, 2:4]
    # One damaged salt still leaves the other; a stale frame of an older generation differs in both.
    current = (fields[:, 2:4] == salts).any(axis=1)
    whole = good & (fields[:, 2:4] == salts).all(axis=1)
    end = _end(current, (fields[:, 1] != 0) | ~whole)
    frames = [
        Frame(int(fields[i, 0]), int(fields[i, 1]), view[_offset(i) + 24 : _offset(i + 1)], bool(whole[i]))
        for i in range(end)
    ]
    return Wal(frames, _problem(frames, header_good))


def _byte_order_is_big(header: Any) -> bool:
    if header[0] in (_MAGIC, _MAGIC | 1):
        return bool(header[0] & 1)
    return sys.byteorder == "big"


def _offset(frame: int) -> int:
    return HEADER_BYTES + frame * FRAME_BYTES


def _end(current: NDArray[np.bool_], may_end: NDArray[np.bool_]) -> int:
    """The number of frames up to the last current one that ends a transaction or is damaged."""
    ends = np.flatnonzero(current & may_end)
    return int(ends[-1]) + 1 if len(ends) else 0


def _problem(frames: list[Frame], header_good: bool) -> str:
    first_bad = next((i for i, frame in enumerate(frames) if not frame.good), len(frames))
    committed = any(frame.good and frame.commit for frame in frames[first_bad + 1 :])
    if header_good and not committed:
        return ""
    if not header_good:
        return "its header is damaged" if any(frame.good for frame in frames) else ""
    return f"frame {first_bad + 1} of {len(frames)} is damaged (byte {_offset(first_bad)} and behind)"


def _checksums(data: bytes, order: str, before: _U32) -> _U32:
    """The checksums of equal rows of words in `data`, each continuing its row of `before`.

    SQLite adds word by word: s0 += x0 + s1, s1 += x1 + s0, modulo 2**32. That is linear, so the sums behind
    n pairs of words are a fixed weight for every word and for the two sums before.
    """
    words = np.frombuffer(data, f"{order}u4").astype(np.uint32).reshape(len(before), -1)
    word_weights, before_weights = _weights(words.shape[1] // 2)
    sums: _U32 = words @ word_weights + before @ before_weights
    return sums


def _weights(pairs: int) -> tuple[_U32, _U32]:
    step = np.array([[1, 1], [1, 2]], np.uint32)  # (s0, s1) before -> behind one pair of zeros
    power = np.eye(2, dtype=np.uint32)
    weights = np.empty((2 * pairs, 2), np.uint32)
    for pair in range(pairs - 1, -1, -1):
        weights[2 * pair] = power @ np.array([1, 1], np.uint32)  # x0 enters s0 and, through it, s1
        weights[2 * pair + 1] = power @ np.array([0, 1], np.uint32)
        power = power @ step
    return weights, power.T.copy()
