"""Extraction of a run's files, and no others, from an untrusted zip.

Accepts only known names, each once and within its size limit, stored or deflated; no links, paths outside the folder or
zip bombs, and no more than fits on the disk. If the zip lists digests, every file must match its digest.
"""

from __future__ import annotations

import errno
import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from lamplighter.contract.sentences import say
from lamplighter.exports.archive.pack import DIGESTS, parse_digests
from lamplighter.exports.output import ExportError, ExportProgress
from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import make_private_folder, open_like_folder
from lamplighter.runfolder.importing.run_checks import (
    MAX_MATRICES,
    MAX_MEMBERS,
    MAX_TOTAL_BYTES,
    MEGABYTE,
    find_fault,
)
from lamplighter.runfolder.run_folder import MATRICES
from lamplighter.runfolder.writing.free_space import spare_bytes
from lamplighter.runfolder.writing.waypoint_budget import MAX_WAYPOINTS

_RECIPE = re.compile(r"((?:[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}/)?)recipe\.json")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FOLDERS = ("", "checkpoints/", "waypoints/", f"{MATRICES}/")
_DIGESTS_LIMIT = 64 << 10
_BLOCK = 1 << 20
_DATABASE_BEGIN = b"SQLite format 3\0"


def unpack(source: Path, folder: Path, progress: ExportProgress, total: int = MAX_TOTAL_BYTES) -> bool:
    """Extract known files into an empty folder; return whether digests were listed, which all match then. It
    does not check their contents. It raises ExportError if the file is not the zip of a run.
    """
    try:
        if not stat.S_ISREG(source.stat().st_mode):
            # Opening a pipe would wait for its other end.
            raise ExportError(say("import_not_regular", name=source.name))
        with (
            source.open("rb", buffering=0) as raw,
            _BoundedReader(raw) as file,
            zipfile.ZipFile(file) as archive,
        ):
            members = _check_members(archive, total)
            if sum(info.compress_size for info in members.values()) > source.stat().st_size:
                raise ExportError(say("import_overlaps", name=source.name))
            digests = _read_digests(archive, members)
            _require_room_for(members, folder)
            done, size = 0, sum(info.file_size for info in members.values())
            for name, info in members.items():
                target = folder / name
                make_private_folder(target.parent, exist_ok=True)
                digest = hashlib.sha256()
                with archive.open(info) as packed, open(target, "xb", opener=open_like_folder) as target_file:
                    while block := packed.read(_BLOCK):
                        if not target_file.tell() and name.endswith(".sqlite"):
                            _require_database(block, name)
                        require_spare_room(folder)
                        target_file.write(block)
                        digest.update(block)
                        progress((done + target_file.tell()) / max(1, size), name)
                    # Reading stops at the stated size, so there can be fewer bytes but not more.
                    if target_file.tell() != info.file_size:
                        raise ExportError(say("import_other_size", name=name))
                done += info.file_size
                if digests is not None and digests[name] != digest.hexdigest():
                    raise ExportError(say("import_changed", name=name, digests=DIGESTS))
            return digests is not None
    except ExportError:
        raise
    except FileNotFoundError as error:
        raise ExportError(say("import_no_file", name=str(source))) from error
    except OSError as error:
        # EINVAL: the zip refers to an offset before its beginning.
        if error.errno == errno.EINVAL:
            raise _cut_short_error(source) from error
        told = say("import_not_unpacked", name=source.name, error=error.strerror or str(error))
        raise ExportError(told) from error
    except (
        zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, ValueError, OverflowError, struct.error,
    ) as error:  # fmt: skip
        # What zipfile says of a file without the list of members at its end.
        if "not a zip file" in str(error) and _begins_as_zip(source):
            raise _cut_short_error(source) from error
        raise ExportError(say("import_unreadable", name=source.name, error=quote_foreign(error))) from error
    except RuntimeError as error:
        told = say("import_not_unpacked", name=source.name, error=quote_foreign(error))
        raise ExportError(told) from error
    except zlib.error as error:
        raise ExportError(say("import_damaged", name=source.name, error=str(error))) from error


def _begins_as_zip(source: Path) -> bool:
    with source.open("rb") as file:
        return file.read(4) == b"PK\3\4"


def _cut_short_error(source: Path) -> ExportError:
    return ExportError(say("import_cut_short", name=source.name))


def _require_database(begin: bytes, name: str) -> None:
    """Reject a file that is not a database before writing gigabytes: zeros compress to almost nothing."""
    if not begin.startswith(_DATABASE_BEGIN):
        raise ExportError(say("import_no_database", name=name))


def require_spare_room(folder: Path) -> None:
    """Raise ExportError unless the disk has free space beyond the reserve for training."""
    if spare_bytes(folder) < 0:
        raise ExportError(say("import_nearly_full"))


def _require_room_for(members: dict[str, zipfile.ZipInfo], folder: Path) -> None:
    """Reject a run that does not fit on the disk: all unpacked files, and the copies that are rewritten."""
    sizes = {name: info.file_size for name, info in members.items()}
    # Databases are rewritten one after another, and each is deleted once copied; checkpoints are only moved.
    databases = max((size for name, size in sizes.items() if name.endswith(".sqlite")), default=0)
    others = sum(size for name, size in sizes.items() if not name.endswith((".sqlite", ".safetensors")))
    needed, spare = sum(sizes.values()) + databases + others, spare_bytes(folder)
    if needed > spare:
        raise ExportError(say("import_no_room", needed=needed / MEGABYTE, spare=max(0, spare) / MEGABYTE))


def _read_digests(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> dict[str, str] | None:
    """Return the digests by file, removing the list from the members; None if the zip has none."""
    info = members.pop(DIGESTS, None)
    if info is None:
        return None
    digests = parse_digests(archive.read(info))
    if different := sorted(set(digests) ^ set(members)):
        raise ExportError(say("import_unlisted", digests=DIGESTS, name=different[0]))
    return digests


def _check_members(archive: zipfile.ZipFile, total: int) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    _require_few([info.orig_filename for info in infos])
    files: list[tuple[str, zipfile.ZipInfo]] = []
    prefix = next((name[1] for info in infos if (name := _RECIPE.fullmatch(info.orig_filename))), None)
    if prefix is None:
        raise ExportError(say("import_no_run", file="recipe.json"))
    for info in infos:
        # zipfile normalises some names; use the name as written.
        name = info.orig_filename
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise ExportError(say("import_link", name=_quote_name(name)))
        if info.flag_bits & 0x1:
            raise ExportError(say("import_encrypted"))
        name = name.removeprefix(prefix)
        if name in _FOLDERS and info.file_size == 0:
            continue
        if kind not in (0, stat.S_IFREG):
            raise ExportError(say("run_file_unknown", name=_quote_name(name)))
        if info.compress_type not in _METHODS:
            # Other methods may take any amount of memory, and our exports do not use them.
            raise ExportError(say("import_other_method", name=_quote_name(name)))
        files.append((name, info))
    sizes = ((name, info.file_size) for name, info in files)
    if (fault := find_fault(sizes, {DIGESTS: _DIGESTS_LIMIT}, total)) is not None:
        raise ExportError(fault)
    return dict(files)


def _require_few(names: Sequence[str]) -> None:
    others = len(names)
    for folder, most in ((f"{MATRICES}/", MAX_MATRICES), ("waypoints/", MAX_WAYPOINTS)):
        found = sum(folder in name for name in names)
        if found > most:
            raise ExportError(say("import_many", found=found, folder=folder, most=most))
        others -= found
    if others > MAX_MEMBERS:
        raise ExportError(say("import_many", found=others, folder="", most=MAX_MEMBERS))


def _quote_name(name: str) -> str:
    return ascii(name[:80])


class _BoundedReader(io.BufferedReader):
    """A file with bounded reads for `zipfile`, which reads the list of members at once, at its stated size."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes. Raise BadZipFile for a size that only a huge list of members needs."""
        if size is None or size < 0:
            position = self.tell()
            size = self.seek(0, io.SEEK_END) - position
            self.seek(position)
        if size > 2 * _BLOCK:
            raise zipfile.BadZipFile("its list of files is too long")
        return super().read(size)
