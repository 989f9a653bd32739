"""Syncing to disk, so that a file, a new name or a whole folder outlasts a power cut.

A file that is synced and then renamed may still go back to its old name: the name is in the folder, which is synced by
itself. Windows cannot sync a folder and needs no such thing; some network file systems cannot either.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_FOLDERS_CAN_BE_SYNCED = os.name == "posix"
# EACCES and EPERM: a folder may be written to but not read.
_NOT_SYNCABLE = (
    errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM,
)  # fmt: skip


def sync_file(path: Path) -> None:
    """Sync the contents of a file.

    Raises:
        OSError: the file cannot be opened for writing, or its contents do not reach the disk.
    """
    # Windows syncs no descriptor that is only for reading.
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Sync the names in a folder, where the system can.

    Raises:
        OSError: they do not reach the disk.
    """
    if not _FOLDERS_CAN_BE_SYNCED:
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SYNCABLE:
            raise


def sync_tree(path: Path) -> None:
    """Sync a file, or a folder with all that is in it.

    Raises:
        OSError: something of it does not reach the disk.
    """
    if not path.is_dir():
        sync_file(path)
        return
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))


def replace_durably(source: Path, target: Path) -> None:
    """Rename a file, whose contents are synced, over another in the same folder, so that the new name lasts.

    Raises:
        OSError: it cannot be renamed, or the name does not reach the disk.
    """
    source.replace(target)
    sync_folder(target.parent)


def link_durably(source: Path, target: Path) -> bool:
    """Give a file, whose contents are synced, a second name that is free, so that the name lasts.

    Returns:
        Whether it has the name; False where the file system refuses a second one.
    """
    try:
        os.link(source, target)
        sync_folder(target.parent)
    except OSError:
        return False
    return True


def rename_durably(source: Path, target: Path) -> Path:
    """Rename a folder, whose contents are synced, to a name that is free, so that the new name lasts.

    Returns:
        The new path.

    Raises:
        OSError: it cannot be renamed, or the name does not reach the disk.
    """
    renamed = source.rename(target)
    sync_folder(target.parent)
    return renamed
