"""Whether a folder is on a network file system, where locks and memory mappings of several machines are not to be trusted."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"nfs4?|cifs|smb3?|smbfs|ncpfs|lustre|gpfs|beegfs|fhgfs|ceph|9p|afs|coda|glusterfs|panfs|wekafs|pvfs2|orangefs|virtiofs"
    r"|fuse\.(?:sshfs|s3fs|goofys|gcsfuse|rclone|glusterfs|ceph|cvmfs2|davfs2|ceph-fuse|juicefs|blobfuse2?|mount-s3)"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def file_system_of(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return the type of the file system with a folder, such as `ext4` or `nfs4`; None if the system does not tell. The
    folder need not exist yet."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    path, found, length = os.path.realpath(folder), None, -1
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, types = before.split(" "), after.split(" ")
        if len(fields) < 5:
            continue
        point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        # Of two mounts at one place the later one is on top.
        if inside and len(point) >= length:
            found, length = types[0], len(point)
    return found


def is_network_folder(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Return whether a folder is on a network file system; False if the system does not tell."""
    kind = file_system_of(folder, mounts)
    return kind is not None and _NETWORK.fullmatch(kind) is not None
