"""The zip of a run: everything needed to view and continue it elsewhere, with the digests of its files.

They have the form that `sha256sum --check` reads and detect damage, and changed files without a new list. The maker of a
zip also makes its list, so they are no proof of origin.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from lamplighter.contract.sentences import say
from lamplighter.exports.output import ExportError, ExportProgress, sub_progress
from lamplighter.runfolder.reading.run_backup import CORPORA, DATABASES, TEXTS, back_up
from lamplighter.runfolder.run_folder import RunFolder
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
