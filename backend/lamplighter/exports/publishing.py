"""A finished run written to an object store, and fetched whole, so that an import checks it.

Objects first, then the manifest that names them, then `current` by a conditional put: a reader sees the run of before
or the whole new one, and of several writers exactly one wins. Objects are named by content, so a publication that was
killed goes on from what is there.
"""

from __future__ import annotations

import hashlib
import mimetypes
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lamplighter.exports.archive.run_zip import require_spare_room
from lamplighter.exports.output import ExportError, ExportProgress
from lamplighter.platform import failpoint
from lamplighter.platform.private_modes import make_private_folder
from lamplighter.runfolder.importing.run_checks import MEGABYTE, byte_limit
from lamplighter.runfolder.published.manifest import (
    BLOCK,
    INDEX,
    MAX_MANIFEST,
    MAX_RUNS,
    MAX_SMALL,
    Current,
    Manifest,
    PublishedFile,
    PublishedObject,
    RunIndex,
    list_runs,
    object_key,
    parse,
    read_manifest,
)
from lamplighter.runfolder.published.object_store import ObjectReader, ObjectStore
from lamplighter.runfolder.published.remote_object import BlockCache, RemoteObject
from lamplighter.runfolder.reading.run_backup import CORPORA, DATABASES, TEXTS, back_up, order_pages
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.reading.step_figures import FIGURES_FILE, write_step_figures
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import PLAIN_NAME_FILE
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.free_space import spare_bytes

_THREADS = 4
_MAX_TRIES = 20
_STATES = f"{10 * '[0-9]'}-{4 * '[0-9]'}.safetensors"

Progress = Callable[[float, str], object]
"""A callback that gets the share that is done, and what is being done."""


@dataclass(frozen=True)
class Publication:
    """A run that is ready to be written, with its price."""

    manifest: Manifest
    sources: dict[str, Path | bytes]
    """Where the content of each object is, by name."""
    lacking: dict[str, int]
    """The sizes of the objects that the store lacks, by name."""

    @property
    def bytes(self) -> int:
        return sum(self.lacking.values())


@contextmanager
def prepare_publication(run: RunFolder, store: ObjectStore, progress: Progress) -> Generator[Publication]:
    """Yield a finished run as it would be published, or raise ExportError. Its databases are copied for as
    long, to the temporary folder.
    """
    if not run.is_prepared or not run.steps_path.exists() or not read_status(run).has_ended:
        raise ExportError(f"{run.id} has not ended: publish it when it has")
    if role_state(run.path, "trainer") is RoleState.HELD:
        raise ExportError(f"{run.id} is being written: publish it when that has ended")
    with tempfile.TemporaryDirectory(prefix="lamplighter-publish-") as scratch:
        sources, files, digests = dict[str, Path | bytes](), list[PublishedFile](), bytearray()
        paths = _collect(run, Path(scratch))
        for at, (name, path) in enumerate(sorted(paths.items())):
            progress(at / len(paths), name)
            sha256, blocks = _digests_of(path)
            file = PublishedFile(path=name, size=path.stat().st_size, sha256=sha256)
            digests += blocks if file.is_database else b""
            sources[sha256] = path
            files.append(file)
        listed = PublishedObject(sha256=hashlib.sha256(digests).hexdigest(), size=len(digests))
        sources[listed.sha256] = bytes(digests)
        manifest = Manifest(run=run.id, created=run.created, files=tuple(files), blocks=listed)
        lacking = {
            name: size
            for name, size in manifest.objects.items()
            if store.size_of(object_key(f"{run.id}/", name)) != size
        }
        yield Publication(manifest, sources, lacking)


def publish(publication: Publication, store: ObjectStore, progress: Progress) -> bool:
    """Write a run, and return whether it changed what is published. It raises ExportError if another process
    published it at the same time, and won. After a StoreError what is there stays, and the same call goes on
    from it.
    """
    manifest = publication.manifest
    prefix, total = f"{manifest.run}/", max(1, publication.bytes)
    before = store.read_tagged(f"{prefix}current", MAX_SMALL)
    done = 0
    with ThreadPoolExecutor(_THREADS) as pool:

        def send(name: str) -> int:
            failpoint.trigger("publish-object")
            store.put_object(object_key(prefix, name), publication.sources[name])
            return publication.lacking[name]

        # The largest last: small ones show soon that the store takes them.
        for size in pool.map(send, sorted(publication.lacking, key=publication.lacking.__getitem__)):
            done += size
            progress(done / total, "sending")
    data = manifest.model_dump_json().encode()
    wanted = PublishedObject(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    known = None if before is None else parse(Current, before[0], f"{store.place}: {prefix}current")
    if known is not None and (known.sha256, known.size) == (wanted.sha256, wanted.size):
        _list_run(store, manifest.run)
        return False
    name = _write_manifest(store, prefix, data, 0 if known is None else int(known.manifest[9:-5]))
    failpoint.trigger("publish-current")
    current = Current(manifest=name, sha256=wanted.sha256, size=wanted.size).model_dump_json().encode()
    key = f"{prefix}current"
    won = store.put_if_absent(key, current) if before is None else store.replace(key, current, before[1])
    if not won:
        raise ExportError(
            f"another process published {manifest.run} at the same time, and that is what counts; publish again to"
            " replace it"
        )
    _list_run(store, manifest.run)
    return True


def publish_page(gallery: Path, run_id: str, store: ObjectStore, progress: Progress) -> str:
    """Write a gallery beside a published run, its pages last, and return the key of its index."""
    paths = sorted(
        (path for path in gallery.rglob("*") if path.is_file()),
        key=lambda path: (path.suffix == ".html", path.name == "index.html"),
    )
    for at, path in enumerate(paths):
        progress(at / len(paths), path.name)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        kind = f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
        store.put_object(f"{run_id}/page/{path.relative_to(gallery).as_posix()}", path, kind)
    return f"{run_id}/page/index.html"


def _write_manifest(store: ObjectStore, prefix: str, data: bytes, newest: int) -> str:
    """Write a manifest under the first free number after `newest`, and return its name."""
    for number in range(newest + 1, newest + 1 + _MAX_TRIES):
        name = f"manifest-{number}.json"
        if store.put_if_absent(prefix + name, data):
            return name
        found = store.read_tagged(prefix + name, MAX_MANIFEST)
        if found is not None and found[0] == data:
            # By one that was killed before it changed `current`.
            return name
    raise ExportError(f"{prefix}: {_MAX_TRIES} manifests were written there and never published: remove them")


def _list_run(store: ObjectStore, run: str) -> None:
    """Add a run to the index, which other processes may be changing."""
    for _ in range(_MAX_TRIES):
        found = store.read_tagged(INDEX, MAX_SMALL)
        runs = () if found is None else parse(RunIndex, found[0], f"{store.place}: {INDEX}").runs
        if run in runs:
            return
        if len(runs) >= MAX_RUNS:
            raise ExportError(f"{store.place} lists {MAX_RUNS} runs already: use another prefix")
        data = RunIndex(runs=tuple(sorted({*runs, run}))).model_dump_json().encode()
        if store.put_if_absent(INDEX, data) if found is None else store.replace(INDEX, data, found[1]):
            return
    raise ExportError(f"{store.place}: {INDEX} is changed by others without pause: try again")


def _collect(run: RunFolder, scratch: Path) -> dict[str, Path]:
    """Return the files to publish, by their path in the run's folder: databases as copies, the others as they are."""
    found = {name: run.path / name for name in (*TEXTS, PLAIN_NAME_FILE, *CORPORA)}
    states = [*sorted(run.checkpoints.glob(_STATES))[-1:], *run.waypoints.glob(_STATES), *run.matrix_paths()]
    found |= {f"{path.parent.name}/{path.name}": path for path in states}
    found = {name: path for name, path in found.items() if path.is_file()}
    for name in DATABASES:
        with suppress(FileNotFoundError):
            back_up(run.path / name, scratch / name)
            found[name] = scratch / name
    # What a jump needs, the census, lies in its record behind a whole matrix.
    order_pages(found["steps.sqlite"])
    with StepsReader(found["steps.sqlite"]) as reader:
        if write_step_figures(reader, scratch / FIGURES_FILE):
            found[FIGURES_FILE] = scratch / FIGURES_FILE
    return found


def _digests_of(path: Path) -> tuple[str, bytes]:
    whole, blocks = hashlib.sha256(), bytearray()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            whole.update(block)
            blocks += hashlib.sha256(block).digest()
    return whole.hexdigest(), bytes(blocks)


def fetch_run(objects: ObjectReader, folder: Path, progress: ExportProgress) -> None:
    """Fetch the files of the only run at an address into an empty folder; nothing else is checked. It raises
    ExportError for several runs or a full disk, StoreError for what cannot be read or was not published.
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
