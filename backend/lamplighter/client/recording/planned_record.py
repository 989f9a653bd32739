"""A record before its first matrix: of a new run, or of one whose loop is continued."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import to_matrix
from lamplighter.client.recording.loop_facts import LoopFacts, make_recorded_recipe
from lamplighter.client.recording.record_warnings import print_notice
from lamplighter.client.recording.resumed_record import find_recorded_run, find_resume_point
from lamplighter.client.recording.step_recording import ComparedMatrix, StepRecording
from lamplighter.client.sources.vocabulary_files import unequal
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import create_recorded_run, require_free_path
from lamplighter.runfolder.writing.failed_write import WRITE_ERRORS
from lamplighter.runfolder.writing.free_space import has_no_room, is_disk_full
from lamplighter.wire.binary import Floats
from lamplighter.wire.vocabulary import Vocabulary


class PlannedRecord:
    """A record before its first matrix, and the requirements on its matrices."""

    def __init__(
        self, path: Path, vocabulary: Vocabulary, plan: dict[str, Any], loop: LoopFacts, *, resume: bool
    ) -> None:
        """Check the arguments (see `record`); with `resume`, the run is there. Raises InputError, or
        FileExistsError."""
        make_recorded_recipe(plan, 2)
        self._resumed = find_recorded_run(path) if resume else None
        try:
            if not resume:
                require_free_path(path)
        except FileExistsError:
            raise
        except ValueError as error:
            raise InputError(str(error)) from error
        self._path, self._vocabulary, self._plan, self._loop = path, vocabulary, plan, loop

    def check_matrix(self, embedding: Any, before: tuple[int, ...] | None = None) -> Floats:
        """Return a matrix of the record, shape (V, D). `before`: the shape of the previous matrix; None: this
        is the first.

        Raises InputError if it has another shape, or does not match the vocabulary.
        """
        matrix = to_matrix(embedding)
        if before is not None and matrix.shape != before:
            raise InputError(
                f"the embedding was {before[0]:,} x {before[1]:,} and is now {len(matrix):,} x {matrix.shape[1]:,}:"
                " record into a new folder from now on"
            )
        if len(matrix) != len(self._vocabulary):
            raise InputError(
                f"the embedding has {len(matrix):,} rows and the vocabulary {len(self._vocabulary):,} tokens:"
                f" {unequal(len(matrix), len(self._vocabulary))}"
            )
        return matrix

    def _resume(self, run: RunFolder, matrix: Floats | ComparedMatrix) -> StepRecording:
        try:
            lock = RoleLock(run.path, "trainer")
        except (RoleTakenError, FormatError) as error:
            raise InputError(f"resume: {run.id} cannot be continued now: {error}") from error
        try:
            now = matrix if isinstance(matrix, np.ndarray) else matrix.matrix
            point = find_resume_point(run, self._vocabulary, self._loop, now)
            print_notice(f"{run.id}: {point.message}")
            return StepRecording(run, lock, matrix, point.step + 1, point.facts, point.numbers, point)
        except BaseException as error:
            lock.close()
            if isinstance(error, FormatError):
                raise InputError(f"resume: {run.id} cannot be continued: {error}") from error
            raise

    def begin_recording(self, matrix: Floats | ComparedMatrix, first: int) -> StepRecording:
        """Create the run, or find the one that is resumed, and start its record. Leaves no files of its own
        after a failure.

        `first`: the step of the matrix, 0 before the first update, 1 after it. Raises InputError if the
        folder cannot hold a run, and OSError or apsw.Error if the disk is full.
        """
        if self._resumed is not None:
            return self._resume(self._resumed, matrix)
        recipe = make_recorded_recipe(self._plan, matrix.shape[1])
        try:
            run = create_recorded_run(self._path, recipe, self._vocabulary)
        except OSError as error:
            if is_disk_full(error):
                raise
            taken = isinstance(error, FileExistsError) or error.errno == errno.ENOTEMPTY
            if taken and self._path.is_dir():
                # Another process was faster.
                raise FileExistsError(f"{self._path} exists now: record into another folder") from error
            reason = error.strerror or error
            raise InputError(f"{self._path} cannot be created ({reason}): choose another folder") from error
        try:
            lock = RoleLock(run.path, "trainer")
            try:
                return StepRecording(run, lock, matrix, first, self._loop.as_facts(), self._loop.numbers())
            except BaseException:
                lock.close()
                raise
        except WRITE_ERRORS as error:
            full = has_no_room(error)
            if full or not isinstance(error, OSError):
                shutil.rmtree(run.path, ignore_errors=True)
            if full or isinstance(error, OSError):
                raise
            raise InputError(
                f"{self._path} cannot hold a run: SQLite cannot store a file there ({error}). Choose a folder on"
                " another file system"
            ) from error
