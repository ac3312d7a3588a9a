"""One writer, by name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cme.log.lock import WriterLock
from cme.log.protocol import LogFailed, LogLocked

HOLD = """
import sys
from pathlib import Path
from cme.log.lock import WriterLock
WriterLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "writer.lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "held\n"
        owner = json.loads(path.read_text())
        assert owner["pid"] == child.pid
        assert set(owner) == {"pid", "host", "since", "command"}
        with pytest.raises(LogLocked, match=f"process {child.pid} on {owner['host']}"):
            WriterLock(path).acquire()
        child.kill()
    again = WriterLock(path)
    again.acquire()
    again.release()


def test_released_it_can_be_had_again(tmp_path: Path) -> None:
    first, second = WriterLock(tmp_path / "writer.lock"), WriterLock(tmp_path / "writer.lock")
    first.acquire()
    with pytest.raises(LogLocked):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    assert (tmp_path / "writer.lock").stat().st_mode & 0o777 == 0o600
    second.release()


def test_an_owner_that_is_no_json_is_another_process(tmp_path: Path) -> None:
    path = tmp_path / "writer.lock"
    holder = WriterLock(path)
    holder.acquire()
    path.write_text("{")
    with pytest.raises(LogLocked, match="another process"):
        WriterLock(path).acquire()
    holder.release()


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogFailed, match=r"none/writer\.lock"):
        WriterLock(tmp_path / "none" / "writer.lock").acquire()
