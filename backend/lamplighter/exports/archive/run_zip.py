"""The zip of a run: everything needed to view and continue it elsewhere, with the digests of its files.

They have the form that `sha256sum --check` reads and detect damage, and changed files without a new list. The maker of a
zip also makes its list, so they are no proof of origin.

An untrusted zip is extracted too: only known names, each once and within its size limit, stored or deflated; no links,
paths outside the folder or zip bombs, and no more than fits on the disk. If it lists digests, every file must match its
digest.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lamplighter.contract.sentences import say
from lamplighter.exports.output import ExportError, ExportProgress, sub_progress
from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import make_private_folder, open_like_folder
from lamplighter.runfolder.importing.run_checks import (
    MAX_MATRICES,
    MAX_MEMBERS,
    MAX_TOTAL_BYTES,
    MEGABYTE,
    find_fault,
)
from lamplighter.runfolder.reading.run_backup import CORPORA, DATABASES, TEXTS, back_up
from lamplighter.runfolder.run_folder import MATRICES, RunFolder
from lamplighter.runfolder.writing.free_space import spare_bytes
from lamplighter.runfolder.writing.waypoint_budget import MAX_WAYPOINTS

DIGESTS = "SHA256SUMS"
"""The name of the list in a run's folder."""
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([A-Za-z0-9./-]{1,100})")


def format_digests(digests: Mapping[str, str]) -> str:
    """Return the list of digests in hexadecimal, by file name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def parse_digests(data: bytes) -> dict[str, str]:
    """Return the digests of a list, by file name, or raise ExportError."""
    digests: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8", errors="replace").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in digests:
            raise ExportError(say("import_no_digests", digests=DIGESTS, line=number))
        digests[match[2]] = match[1]
    return digests


_STATES = f"{10 * '[0-9]'}-{4 * '[0-9]'}.safetensors"
_BLOCK = 1 << 20


def write_zip(run: RunFolder, out: Path, progress: ExportProgress) -> None:
    """Write the zip of a run, live or finished, with the digests of its files. Excludes locks, logs, requests
    and unknown files. It raises ExportError if the run has not started.
    """
    if not run.is_prepared or not run.steps_path.exists() or run.start_path.exists():
        raise ExportError(say("export_not_begun", run=run.id))
    _ = run.recipe, run.vocabulary
    with (
        tempfile.TemporaryDirectory(prefix="scratch-", dir=out.parent) as scratch,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        digests: dict[str, str] = {}

        def add(path: Path, name: str, share_done: Callable[[float], None]) -> None:
            digests[name] = _add(archive, path, f"{run.id}/{name}", share_done)

        names = [*TEXTS, *CORPORA]
        present = [run.path / name for name in names if (run.path / name).is_file()]
        # A checkpoint is written atomically, but a newer one may replace it before it is opened.
        checkpoint = ""
        for path in sorted(run.checkpoints.glob(_STATES), reverse=True):
            with contextlib.suppress(FileNotFoundError):
                add(path, f"checkpoints/{path.name}", sub_progress(progress, 0, 0.05, path.name))
                checkpoint = path.name
                break
        waypoints = sorted(run.waypoints.glob(_STATES))[-MAX_WAYPOINTS:]
        for index, path in enumerate(waypoints):
            start, end = (0.05 + 0.15 * i / len(waypoints) for i in (index, index + 1))
            if path.name == checkpoint:
                continue  # The same file: the import gives it both names again.
            # The trainer may remove waypoints in the meantime.
            with contextlib.suppress(FileNotFoundError):
                add(path, f"waypoints/{path.name}", sub_progress(progress, start, end, path.name))
        for index, path in enumerate(present):
            start = 0.2 + 0.1 * index / len(present)
            add(path, path.name, sub_progress(progress, start, start, path.name))
        for path in run.matrix_paths():
            add(path, f"{path.parent.name}/{path.name}", sub_progress(progress, 0.3, 0.3, path.name))
        for index, name in enumerate(DATABASES):
            start, end = (0.3 + 0.7 * i / len(DATABASES) for i in (index, index + 1))
            copied = start + (end - start) / 4
            copy = Path(scratch) / name
            try:
                back_up(run.path / name, copy, sub_progress(progress, start, copied, name))
            except FileNotFoundError:
                continue
            add(copy, name, sub_progress(progress, copied, end, name))
            copy.unlink()
        archive.writestr(_member(zipfile.ZipInfo(f"{run.id}/{DIGESTS}")), format_digests(digests))


def _add(archive: zipfile.ZipFile, path: Path, name: str, progress: Callable[[float], None]) -> str:
    """Add a file. Return its SHA-256 digest in hexadecimal."""
    info = _member(zipfile.ZipInfo.from_file(path, name))
    done, digest = 0, hashlib.sha256()
    with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
        while block := source.read(_BLOCK):
            target.write(block)
            digest.update(block)
            done += len(block)
            progress(min(1.0, done / max(1, info.file_size)))
    return digest.hexdigest()


def _member(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    info.compress_type = zipfile.ZIP_DEFLATED
    # Do not reveal the file's owner and permissions.
    info.external_attr = 0o100644 << 16
    return info


_RECIPE = re.compile(r"((?:[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}/)?)recipe\.json")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FOLDERS = ("", "checkpoints/", "waypoints/", f"{MATRICES}/")
_DIGESTS_LIMIT = 64 << 10
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
