"""Syncing to disk, so that a file, a new name or a whole folder survives a power cut.

A file that is synced and then renamed may still revert to its old name: the name is in the folder, which is synced
separately. Windows cannot sync a folder and need not; some network file systems cannot either.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_FOLDERS_CAN_BE_SYNCED = os.name == "posix"
# EACCES and EPERM: the folder may be writable but not readable.
_NOT_SYNCABLE = (
    errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM,
)  # fmt: skip


def sync_file(path: Path) -> None:
    """Sync the contents of a file. Raises OSError if the file cannot be opened for writing, or its contents
    do not reach the disk.
    """
    # Windows cannot sync a read-only descriptor.
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Sync the names in a folder, if the system can. Raises OSError if the names do not reach the disk."""
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
    """Sync a file, or a folder with its contents. Raises OSError if some of it does not reach the disk."""
    if not path.is_dir():
        sync_file(path)
        return
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))


def replace_durably(source: Path, target: Path) -> None:
    """Rename a synced file over another in the same folder, and sync the new name. Raises OSError if the file
    cannot be renamed, or the name does not reach the disk.
    """
    source.replace(target)
    sync_folder(target.parent)


def link_durably(source: Path, target: Path) -> bool:
    """Hard-link a synced file to an unused name, and sync the name. Returns whether the link exists; False if
    the file system does not support hard links.
    """
    try:
        os.link(source, target)
        sync_folder(target.parent)
    except OSError:
        return False
    return True


def rename_durably(source: Path, target: Path) -> Path:
    """Rename a synced folder to an unused name, and sync the new name. Return the new path. Raises OSError if
    it cannot be renamed, or the name does not reach the disk.
    """
    renamed = source.rename(target)
    sync_folder(target.parent)
    return renamed
