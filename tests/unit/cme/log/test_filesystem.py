"""Which file system holds a folder, by the lines of /proc/self/mountinfo."""

from pathlib import Path

import pytest

from cme.log import filesystem
from cme.log.filesystem import NETWORK, file_system_of, refuse_network
from cme.log.protocol import LogFailed

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:5 / /proc rw shared:2 - proc proc rw
40 22 0:50 / /data rw shared:3 master:4 - nfs4 server:/export rw,vers=4.2
41 40 8:2 / /data/local rw - xfs /dev/sdb1 rw
42 22 0:51 / /with\040blank rw - cifs //server/share rw
43 22 0:52 / /twice rw - ext4 /dev/sdc1 rw
44 43 0:53 / /twice rw - fuse.sshfs host:/ rw
45 22 0:54 / /grün rw - 9p share rw
not a mount
""".splitlines()


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/", "ext4"),
        ("/srv/log", "ext4"),
        ("/data", "nfs4"),
        ("/data/log", "nfs4"),
        ("/data/local/log", "xfs"),
        ("/database", "ext4"),
        ("/with blank/log", "cifs"),
        ("/twice/log", "fuse.sshfs"),
        ("/grün/log", "9p"),
    ],
)
def test_the_longest_and_last_mount_counts(folder: str, expected: str) -> None:
    assert file_system_of(Path(folder), MOUNTS) == expected


def test_without_mounts_nothing_is_known() -> None:
    assert file_system_of(Path("/data"), []) == ""


@pytest.mark.parametrize("kind", sorted(NETWORK))
def test_network_file_systems_are_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / / rw - {kind} server rw\n")
    monkeypatch.setattr(filesystem, "_MOUNTS", mounts)
    with pytest.raises(LogFailed, match=rf"network file system \({kind}\).*local disk"):
        refuse_network(tmp_path)


def test_local_and_unknown_file_systems_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_network(tmp_path)
    monkeypatch.setattr(filesystem, "_MOUNTS", tmp_path / "none")
    refuse_network(tmp_path)
