"""A published run fetched whole, so that an import checks it and makes a run of it."""

from __future__ import annotations

from pathlib import Path

from lamplighter.exports.archive.unpack import require_spare_room
from lamplighter.exports.output import ExportError, ExportProgress
from lamplighter.platform.private_modes import make_private_folder
from lamplighter.runfolder.importing.file_limits import MEGABYTE, byte_limit
from lamplighter.runfolder.published.manifest import (
    Manifest,
    PublishedFile,
    list_runs,
    object_key,
    read_manifest,
)
from lamplighter.runfolder.published.object_store import ObjectReader
from lamplighter.runfolder.published.remote_object import BlockCache, RemoteObject
from lamplighter.runfolder.writing.free_space import spare_bytes


def fetch_run(objects: ObjectReader, folder: Path, progress: ExportProgress) -> None:
    """Fetch the files of the only run at an address into an empty folder; nothing else is checked.

    It raises ExportError for several runs or a full disk, StoreError for what cannot be read or was not
    published.
    """
    found = list_runs(objects)
    if len(found) > 1:
        names = ", ".join(run for run, _ in found[:6])
        raise ExportError(
            f"{objects.place} has {len(found)} runs: add the id of one to the address ({names})"
        )
    manifest = read_manifest(objects, found[0][1])
    files = _imported_files(manifest)
    size = sum(file.size for file in files)
    # Each database is rewritten, one after the other.
    needed, spare = size + max(file.size for file in files), spare_bytes(folder)
    if needed > spare:
        raise ExportError(
            f"the import temporarily needs {needed / MEGABYTE:,.0f} MB, and {max(0, spare) / MEGABYTE:,.0f} MB are free beyond"
            " the reserve for training: make room on the disk, and import it again"
        )
    done = 0
    for file in files:
        path = folder / file.path
        make_private_folder(path.parent, exist_ok=True)
        RemoteObject(objects, object_key(found[0][1], file.sha256), file, BlockCache()).fetch_to(path)
        require_spare_room(folder)
        done += file.size
        progress(done / max(1, size), file.path)


def _imported_files(manifest: Manifest) -> list[PublishedFile]:
    """Return the files that an import takes: no figures, and a checkpoint that is a waypoint as well only once."""
    checkpoints = {file.path[12:] for file in manifest.files if file.path.startswith("checkpoints/")}
    return [
        file
        for file in manifest.files
        if byte_limit(file.path) is not None
        and not (file.path.startswith("waypoints/") and file.path[10:] in checkpoints)
    ]
