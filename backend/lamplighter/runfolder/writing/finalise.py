"""Finalisation of files: a database made under a temporary name is renamed when complete, and a finished run is compacted
and sealed.

A file left unsealed because its writer was killed, or a reader prevented it, can be sealed later.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lamplighter.platform import failpoint
from lamplighter.platform.folder_sync import replace_durably, sync_file
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.role_lock import RoleLock, RoleState, RoleTakenError, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.sqlite.database import (
    open_writer,
    seal,
)
from lamplighter.runfolder.sqlite.unreadable_file import is_in_wal_mode
from lamplighter.runfolder.tables import examinations, layouts, measures, steps, tiles
from lamplighter.wire.frames import encode


def unsealed_roles(run: RunFolder) -> tuple[str, ...]:
    """Return the roles (`trainer`, `projector`, `analyst`, `examiner`) with an unsealed file. Reads 20 bytes per file."""
    return tuple(
        role for role, files in _files_by_role(run).items() if any(is_in_wal_mode(path) for path, _ in files)
    )


def seal_role_files(run: RunFolder, role: str) -> bool:
    """Seal the files of a role that no process holds, without waiting. Only for finished runs. Returns
    whether the files are sealed now. False if the role is held, a reader is connected, or a file cannot be
    written.
    """
    try:
        if role_state(run.path, role) is not RoleState.FREE:
            return False
        with RoleLock(run.path, role):
            return all(
                _seal(path, schema) for path, schema in _files_by_role(run)[role] if is_in_wal_mode(path)
            )
    except (RoleTakenError, *READ_ERRORS):
        return False


def compact_run(run: RunFolder, patience: float = 10.0) -> bool:
    """Drop the tiled rows of a finished run, return the space to the file system, and seal its steps. Holds
    the trainer's role, since the steps must have only one writer. Returns whether the steps are compact
    and sealed now. False if the run continues, or cannot be written now.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            with RoleLock(run.path, "trainer"):
                return _compact(run)
        except RoleTakenError:
            # A trainer that has just finished may still be closing its file.
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        except READ_ERRORS:
            return False


def _compact(run: RunFolder) -> bool:
    # Imported only now: the server answers before any run is compacted.
    from lamplighter.runfolder.reading.matrix_history import MatrixHistory
    from lamplighter.runfolder.reading.snapshot import read_census

    with MatrixHistory(run) as history:
        if not history.steps.phase().has_ended:
            return False
        attempt, last = history.steps.newest_step()
        keyframe = census = None
        if history.steps.keyframe_step(last) != last and history.is_exact(last):
            # Keep the newest matrix as a keyframe: viewers load it first, and a continued run starts from it.
            newest = history.snapshot(last)
            keyframe = newest.encode_frame()
            census = encode(read_census(history.steps, history.steps.lineage(), last, newest.time))
    # Since 2, moved rows may be in tiles; a run that is only shown stays one that the version before can continue.
    with steps.StepsWriter(run.steps_path, version=2) as writer:
        if keyframe is not None and census is not None:
            writer.add_keyframe(last, keyframe, census, attempt)
        with failpoint.trigger_within("compact"):
            writer.compact()
        return writer.close(sealed=True)


def _seal(path: Path, schema: str) -> bool:
    connection = open_writer(path, schema, version=1)
    try:
        return seal(connection, patience=0.0)
    finally:
        connection.close()


def _files_by_role(run: RunFolder) -> dict[str, tuple[tuple[Path, str], ...]]:
    return {
        "trainer": ((run.steps_path, steps.SCHEMA),),
        "projector": ((run.layouts_path, layouts.SCHEMA),),
        "examiner": ((run.examinations_path, examinations.SCHEMA),),
        "analyst": ((run.measures_path, measures.SCHEMA), (run.tiles_path, tiles.SCHEMA)),
    }


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """Provide a temporary path for a file; rename it on success, delete it on an error."""
    delete_unfinished(path)
    part = _part_of(path)
    try:
        yield part
        sync_file(part)
        replace_durably(part, path)
    except BaseException:
        delete_unfinished(path)
        raise


def delete_unfinished(path: Path) -> None:
    """Delete an incomplete file left by a killed process. Only the process allowed to make the file may call this."""
    part = _part_of(path)
    for ending in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + ending).unlink(missing_ok=True)


def _part_of(path: Path) -> Path:
    return path.with_suffix(".part")
