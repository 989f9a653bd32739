"""Extraction of a run's files, and no others, from an untrusted zip.

Only the known names, each once, each within its size limit; no links, no paths outside the folder, no zip
bombs.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from pathlib import Path

from lamplighter.exports.output import ExportError, ExportProgress

MEGABYTE = 1_000_000
MAX_TOTAL_BYTES = 16_000 * MEGABYTE
"""Maximum bytes of an unpacked run."""
_LIMITS = {
    "recipe.json": MEGABYTE,
    "source.txt": 64 << 20,
    "corpus.json": MEGABYTE,
    "corpus.npy": 2_000 * MEGABYTE,
    "tokeniser.json": 64 * MEGABYTE,
    "vocabulary.json": 64 * MEGABYTE,
    "layouts.sqlite": 4_000 * MEGABYTE,
    "relayouts.sqlite": 4_000 * MEGABYTE,
    "measures.sqlite": 1_000 * MEGABYTE,
    "steps.sqlite": 8_000 * MEGABYTE,
    "tiles.sqlite": 8_000 * MEGABYTE,
}
_NEEDED = ("recipe.json", "corpus.json", "vocabulary.json", "steps.sqlite")
_CHECKPOINT = re.compile(r"checkpoints/\d{10}-\d{4}\.safetensors")
_CHECKPOINT_LIMIT = 4_000 * MEGABYTE
_RECIPE = re.compile(r"((?:[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}/)?)recipe\.json")
_MEMBERS = 32
_BLOCK = 1 << 20


def unpack(source: Path, folder: Path, progress: ExportProgress, total: int = MAX_TOTAL_BYTES) -> list[Path]:
    """Extract a run's files from a zip into an empty folder. Their contents are not checked here.

    Args:
        source: the zip.
        folder: the target; the names in it are ours.
        progress: called with the share of the bytes done.
        total: maximum number of bytes when unpacked.

    Returns:
        The files, relative to `folder`.

    Raises:
        ExportError: the file is not a zip, or not the zip of a run; the message says what is wrong.
    """
    try:
        with (
            source.open("rb", buffering=0) as raw,
            _BoundedReader(raw) as file,
            zipfile.ZipFile(file) as archive,
        ):
            members = _check_members(archive, total)
            size = sum(info.file_size for info in members.values())
            done = 0
            for name, info in members.items():
                target = folder / name
                target.parent.mkdir(exist_ok=True)
                with archive.open(info) as packed, target.open("xb") as target_file:
                    while block := packed.read(_BLOCK):
                        target_file.write(block)
                        done += len(block)
                        if done > size:
                            raise ExportError(f"{source.name}: {name} is larger than it says: refused")
                        progress(done / max(1, size), name)
            return [Path(name) for name in members]
    except FileNotFoundError as error:
        raise ExportError(f"there is no file {source}") from error
    except OSError as error:
        raise ExportError(f"{source.name} cannot be unpacked: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, ValueError) as error:
        if isinstance(error, ExportError):
            raise
        raise ExportError(f"{source.name} is not a zip that can be read: {error}") from error
    except RuntimeError as error:
        raise ExportError(f"{source.name} cannot be unpacked: {error}") from error
    except zlib.error as error:
        raise ExportError(f"{source.name} is damaged: {error}") from error


def _check_members(archive: zipfile.ZipFile, total: int) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > _MEMBERS:
        raise ExportError(f"the zip has {len(infos)} files, a run has at most {_MEMBERS}: refused")
    members: dict[str, zipfile.ZipInfo] = {}
    prefix = next((name[1] for info in infos if (name := _RECIPE.fullmatch(info.orig_filename))), "")
    for info in infos:
        # zipfile normalises names that it does not like; use the name as written.
        name = info.orig_filename
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise ExportError(f"the zip holds a link, {_quote_name(name)}: refused")
        if info.flag_bits & 0x1:
            raise ExportError("the zip is encrypted: unpack it, and zip the folder again without a password")
        name = name.removeprefix(prefix)
        if name in ("", "checkpoints/") and info.file_size == 0:
            continue
        limit = _CHECKPOINT_LIMIT if _CHECKPOINT.fullmatch(name) else _LIMITS.get(name)
        if limit is None or kind not in (0, stat.S_IFREG):
            raise ExportError(
                f"the zip holds {_quote_name(info.orig_filename)}, which is no file of a run: refused"
            )
        if name in members:
            raise ExportError(f"the zip holds {name} twice: refused")
        if info.file_size > limit:
            raise ExportError(
                f"{name} would have {info.file_size / MEGABYTE:,.0f} MB, at most {limit / MEGABYTE:,.0f} are allowed: refused"
            )
        members[name] = info
    if missing := [name for name in _NEEDED if name not in members]:
        raise ExportError(f"this is not the zip of a run: it has no {missing[0]}")
    size = sum(info.file_size for info in members.values())
    if size > total:
        raise ExportError(
            f"the run would have {size / MEGABYTE:,.0f} MB, at most {total / MEGABYTE:,.0f} are allowed: refused"
        )
    return members


def _quote_name(name: str) -> str:
    return ascii(name[:80])


class _BoundedReader(io.BufferedReader):
    """A file for `zipfile` with bounded reads, since `zipfile` reads the list of members at once, however
    long it claims to be."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes. Raises BadZipFile for a size that only a huge list of members would
        need."""
        if size is None or size < 0:
            position = self.tell()
            size = self.seek(0, io.SEEK_END) - position
            self.seek(position)
        if size > 2 * _BLOCK:
            raise zipfile.BadZipFile("its list of files is too long")
        return super().read(size)
