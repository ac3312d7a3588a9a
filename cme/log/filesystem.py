"""SQLite's locks and its shared memory do not work over a network: such a file system is refused by name."""

import re
from collections.abc import Iterable
from pathlib import Path

from cme.log.protocol import LogFailed

NETWORK = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "ceph",
        "fuse.ceph",
        "glusterfs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "fuse.s3fs",
        "afs",
        "lustre",
        "beegfs",
    ]
)
_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")  # how a blank, tab, newline or backslash is written there


def refuse_network(folder: Path) -> None:
    """Raises LogFailed when `folder` lies on a network file system; knows Linux' mounts only."""
    if not _MOUNTS.exists():
        return
    kind = file_system_of(folder.resolve(), _MOUNTS.read_text(errors="surrogateescape").splitlines())
    if kind in NETWORK:
        raise LogFailed(
            f"{folder} is on a network file system ({kind}), where SQLite may lose data; choose a local disk"
        )


def file_system_of(folder: Path, mountinfo: Iterable[str]) -> str:
    """Type of the file system that holds `folder`, by lines of proc_pid_mountinfo(5); "" if none does.

    Of several mounts on one point the last one covers the others.
    """
    longest, found = -1, ""
    for line in mountinfo:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        if folder.is_relative_to(point) and len(point.parts) >= longest:
            longest, found = len(point.parts), after.split(" ")[0]
    return found
