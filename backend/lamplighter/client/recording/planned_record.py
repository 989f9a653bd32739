"""A record before its first matrix: of a new run, or of one whose loop is continued."""

from __future__ import annotations

import errno
import shutil
from bisect import bisect_right
from pathlib import Path
from typing import Any

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import find_changed_rows, to_matrix
from lamplighter.client.recording.loop_facts import LoopFacts, make_recorded_recipe
from lamplighter.client.recording.record_warnings import print_notice
from lamplighter.client.recording.step_recording import ComparedMatrix, ResumePoint, StepRecording
from lamplighter.client.sources.vocabulary_files import unequal
from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import READ_ERRORS, FormatError, NoSnapshotError
from lamplighter.runfolder.fragments.fragment import RECEIVED_FACT
from lamplighter.runfolder.loop_facts import CONFIG_FACT, KEPT_ROWS_FACT
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore, create_recorded_run, require_free_path
from lamplighter.runfolder.step_numbers import read_step_numbers
from lamplighter.runfolder.writing.free_space import WRITE_ERRORS, has_no_room, is_disk_full
from lamplighter.wire.binary import Floats
from lamplighter.wire.vocabulary import Vocabulary

_NAMED = 10
"""Names of runs for an error about a run that does not exist."""


def find_recorded_run(path: Path) -> RunFolder:
    """Return the run of a loop in a folder. Raises InputError if there is none; the message names those that
    are there."""
    run = RunFolder(path)
    try:
        recorded = run.recipe.corpus.kind == "recorded"
    except READ_ERRORS as error:
        found = [one.id for one in RunStore(path.parent).runs()] if path.parent.is_dir() else []
        there = ", ".join(found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
        raise InputError(
            f"resume: there is no run {path.name!r} in {path.parent}, which has {there or 'none'}"
        ) from error
    if not recorded:
        raise InputError(f"resume: {run.id} is not the record of a loop: Lamplighter trained it")
    return run


def find_resume_point(run: RunFolder, vocabulary: Vocabulary, loop: LoopFacts, matrix: Floats) -> ResumePoint:
    """Return where a loop continues a run, which has no other writer. `matrix`: the loop's, shape (V, D).

    Raises InputError if the loop does not belong to this run.
    """
    theirs, width = run.vocabulary.tokens, run.recipe.model.dim
    if matrix.shape != (len(theirs), width):
        raise InputError(
            f"resume: the embedding of {run.id} has {len(theirs):,} x {width}, and this one {len(matrix):,} x {matrix.shape[1]}"
        )
    for number, (before, now) in enumerate(zip(theirs, vocabulary.tokens, strict=True)):
        if before != now:
            raise InputError(f"resume: row {number} of {run.id} is {before[:80]!r}, and here {now[:80]!r}")
    try:
        with MatrixHistory(run) as history:
            facts = history.steps.facts()
            if RECEIVED_FACT in facts:
                raise InputError(f"resume: {run.id} arrives from another machine: continue it there")
            if all(event.message != say("recorded_loop") for event in history.steps.events()):
                raise InputError(f"resume: {run.id} is not the record of a loop")
            kept = facts.get(KEPT_ROWS_FACT, [])
            if loop.kept_rows and list(loop.kept_rows) != kept:
                raise InputError(
                    f"resume: {run.id} keeps {len(kept):,} rows of each step, and keep_rows names others: leave it out"
                )
            return _find_point(run, loop, matrix, history, facts)
    except (FileNotFoundError, NoSnapshotError) as error:
        raise InputError(f"resume: no state of {run.id} is kept up to step {loop.first_step}") from error


def _find_point(
    run: RunFolder, loop: LoopFacts, matrix: Floats, history: MatrixHistory, facts: dict[str, Any]
) -> ResumePoint:
    numbers, (_, newest) = read_step_numbers(facts), history.steps.newest_step()
    first, last = numbers.number_of(0), numbers.number_of(newest)
    if first is None or last is None or loop.first_step < first:
        raise InputError(
            f"resume: first_step is {loop.first_step}, and the record of {run.id} has the steps {first} to {last}"
        )
    step = bisect_right(range(newest + 1), loop.first_step, key=lambda one: numbers.number_of(one) or 0) - 1
    values: dict[str, Any] = {
        "attempt": max(history.steps.lineage().newest_attempt, 1) + 1,
        "step": loop.first_step,
    }
    is_equal, code = False, "loop_resumed_unknown"
    try:
        if numbers.number_of(step) == loop.first_step:
            changed = find_changed_rows(history.snapshot(step).vectors, matrix)
            is_equal = not len(changed.token_ids)
            code = "loop_resumed" if is_equal else "loop_resumed_changed"
            if not is_equal:
                values |= {"rows": len(changed.token_ids), "distance": float(changed.distances.max())}
    except NoSnapshotError:
        pass  # only keyframes are exact
    census = read_touches(history.steps, step)
    told = {CONFIG_FACT: loop.config, "steps": loop.planned_steps() and step + loop.planned_steps()}
    facts = facts | {name: value for name, value in told.items() if value}
    return ResumePoint(step, facts, numbers, census, is_equal, say(code, **values))


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
