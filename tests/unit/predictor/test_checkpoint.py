import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor import checkpoint

ARRAYS = {
    "beat": np.array(17),
    "ids": np.array([2**64 - 1, 3], dtype=np.uint64),
    "engine.at": np.array([[1.5, np.nan], [np.inf, 0]], dtype=np.float32),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.state"


def test_what_is_saved_is_loaded_bit_by_bit(path: Path) -> None:
    checkpoint.save(path, ARRAYS)
    loaded = checkpoint.load(path)
    assert loaded is not None
    assert list(loaded) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


def test_a_later_save_replaces_the_earlier_and_leaves_nothing_beside(path: Path) -> None:
    checkpoint.save(path, ARRAYS)
    checkpoint.save(path, {"beat": np.array(18)})
    loaded = checkpoint.load(path)
    assert loaded is not None
    assert {name: int(array) for name, array in loaded.items()} == {"beat": 18}
    assert [each.name for each in path.parent.iterdir()] == ["engine.state"]


def test_a_save_that_fails_leaves_the_old_one(path: Path) -> None:
    checkpoint.save(path, ARRAYS)
    path.with_suffix(".new").mkdir()
    with pytest.raises(OSError, match=r"engine\.new"):
        checkpoint.save(path, {"beat": np.array(18)})
    loaded = checkpoint.load(path)
    assert loaded is not None
    assert int(loaded["beat"]) == 17


def test_without_one_there_is_none(path: Path) -> None:
    assert checkpoint.load(path) is None


def test_one_that_cannot_be_read_is_said_aloud(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.mkdir()
    assert checkpoint.load(path) is None
    assert "can't be read: [Errno 21]" in caplog.text


@given(data=st.data())
def test_no_change_of_a_byte_goes_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("checkpoint") / "engine.state"
    checkpoint.save(path, ARRAYS)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert checkpoint.load(path) is None


@pytest.mark.parametrize("length", [0, 3, 4, 6, 8, 100])
def test_one_that_ends_early_is_damaged(length: int, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    checkpoint.save(path, ARRAYS)
    path.write_bytes(path.read_bytes()[:length])
    assert checkpoint.load(path) is None
    assert "engine.state is damaged" in caplog.text


def stored(path: Path, body: bytes) -> None:
    path.write_bytes(checkpoint.MAGIC + zlib.crc32(body).to_bytes(4, "little") + body)


def test_one_of_objects_is_never_unpickled(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, objects=np.array([{"a": 1}], dtype=object))
    stored(path, buffer.getvalue())
    assert checkpoint.load(path) is None
    assert "can't be read by this version" in caplog.text


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04 but nothing more", b"text"])
def test_one_that_is_no_archive_is_said_aloud(
    body: bytes, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored(path, body)
    assert checkpoint.load(path) is None
    assert "can't be read by this version" in caplog.text
