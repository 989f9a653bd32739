"""A record that is planned: where it will be, of which tokens, by which loop. It begins with the first matrix."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import to_matrix
from lamplighter.client.recording.loop_facts import LoopFacts, make_recorded_recipe
from lamplighter.client.recording.step_recording import ComparedMatrix, StepRecording
from lamplighter.client.vocabulary_files import unequal
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_store import create_recorded_run, require_free_path
from lamplighter.runfolder.writing.failed_write import WRITE_ERRORS
from lamplighter.runfolder.writing.free_space import has_no_room, is_disk_full
from lamplighter.wire.binary import Floats
from lamplighter.wire.vocabulary import Vocabulary


class PlannedRecord:
    """A record before its first matrix, and what every matrix of it must be."""

    def __init__(self, path: Path, vocabulary: Vocabulary, plan: dict[str, Any], loop: LoopFacts) -> None:
        """Check the arguments (see `record`).

        Raises:
            InputError: the plan, or the folder, is of no use.
            FileExistsError: the folder is taken.
        """
        make_recorded_recipe(plan, 2)
        try:
            require_free_path(path)
        except FileExistsError:
            raise
        except ValueError as error:
            raise InputError(str(error)) from error
        self._path, self._vocabulary, self._plan, self._loop = path, vocabulary, plan, loop

    def check_matrix(self, embedding: Any, before: tuple[int, ...] | None = None) -> Floats:
        """Return a matrix of the record, shape (V, D).

        Args:
            embedding: what the loop gave as the matrix.
            before: the shape of the matrix before; None: this is the first.

        Raises:
            InputError: it is no matrix, or one of another shape, or does not fit the vocabulary.
        """
        matrix = to_matrix(embedding)
        if before is not None and matrix.shape != before:
            raise InputError(
                f"the embedding was {before[0]:,} x {before[1]:,} and is now {len(matrix):,} x {matrix.shape[1]:,}:"
                " record into a new folder from here on"
            )
        if len(matrix) != len(self._vocabulary):
            raise InputError(
                f"the embedding has {len(matrix):,} rows and the vocabulary {len(self._vocabulary):,} tokens:"
                f" {unequal(len(matrix), len(self._vocabulary))}"
            )
        return matrix

    def begin_recording(self, matrix: Floats | ComparedMatrix, first: int) -> StepRecording:
        """Create the run, and begin its record. Nothing of it stays where that fails.

        Args:
            matrix: the first matrix.
            first: the step that it is of: 0 before the first update, 1 after it.

        Raises:
            InputError: the folder cannot be made, or its file system cannot hold a run.
            OSError, apsw.Error: the disk is full.
        """
        recipe = make_recorded_recipe(self._plan, matrix.shape[1])
        try:
            run = create_recorded_run(self._path, recipe, self._vocabulary)
        except OSError as error:
            if is_disk_full(error):
                raise
            taken = isinstance(error, FileExistsError) or error.errno == errno.ENOTEMPTY
            if taken and self._path.is_dir():
                # Another process was quicker.
                raise FileExistsError(f"{self._path} is there by now: record into another folder") from error
            reason = error.strerror or error
            raise InputError(f"{self._path} cannot be made ({reason}): choose another folder") from error
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
                f"{self._path} cannot hold a run: SQLite cannot keep a file there ({error}). Choose a folder on"
                " another file system"
            ) from error
