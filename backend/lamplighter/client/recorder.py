"""Recording of any training loop as a run: `with lamplighter.record(folder, vocabulary=tokens) as recorder`.

The loop only needs one call a step. The record is measured on the matrix it passes in: the rows whose bits changed
since the last call, whatever changed them.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, SupportsIndex

from pydantic import ValidationError

from lamplighter.client.errors import InputError
from lamplighter.client.integers import whole_number
from lamplighter.client.matrix_diff import ChangedRows, count_batch_rows, find_gradient_rows, to_float32_scalar, to_matrix
from lamplighter.client.step_recording import StepRecording
from lamplighter.client.vocabulary_files import make_vocabulary, read_vocabulary, unequal
from lamplighter.recipe import DEFAULT_DISK_BUDGET, Recipe, explain_validation_error
from lamplighter.runfolder.phase import ENDED_PHASES, Phase
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import create_recorded_run, require_free_path
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS, is_disk_full
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.vocabulary import Vocabulary

log = logging.getLogger(__name__)


def record(
    folder: str | os.PathLike[str],
    vocabulary: Iterable[str] | Mapping[str, SupportsIndex] | str | os.PathLike[str],
    *,
    embedding: Any = None,
    counts: Sequence[int] | None = None,
    classes: Mapping[str, Iterable[str | int]] | None = None,
    steps: SupportsIndex | None = None,
    name: str = "",
    keyframe_every: SupportsIndex = 100,
    disk_budget: SupportsIndex = DEFAULT_DISK_BUDGET,
    every: SupportsIndex = 1,
    first_step: SupportsIndex = 0,
    config: Mapping[str, Any] | None = None,
    on_error: Literal["warn", "raise"] = "warn",
) -> Recorder:
    """Record a training loop as a run, live in the dashboard of a server over the folder's parent.

    Args:
        folder: the run's, which must not exist yet or be empty. Its name becomes the run's id: a-z, 0-9, '-'.
        vocabulary: the tokens by id, V of them; or a mapping of token to id, as a tokeniser's `get_vocab()`
            gives it; or the path of a file with them (see `read_vocabulary`).
        embedding: the matrix before the first step, shape (V, D). Without it the record begins after the
            first step, and what that step moved is not known.
        counts: how often each token occurs in the text, shape (V,), where that is known.
        classes: what is known to belong together: a name to tokens or ids.
        steps: where the loop will end, where that is known: a page shows how far it is.
        name: what people call the text.
        keyframe_every: steps between two whole matrices.
        disk_budget: bytes the run may take; near this limit less is kept, and the run reports it.
        every: the loop's steps for each one that is recorded: those whose number is a multiple of it.
        first_step: the number of the last step before the record, where a loop goes on from a checkpoint.
        config: what people want kept about the loop: JSON values by name.
        on_error: what an error in a step does: `warn` ends the record with one warning and lets the loop go on, `raise`
            raises it in the loop.

    Raises:
        InputError: an argument cannot be used; the message tells which and why.
        FileExistsError: `folder` is not empty.
    """
    if isinstance(vocabulary, Vocabulary):
        loaded = vocabulary
    elif isinstance(vocabulary, str | os.PathLike):
        if counts is not None or classes is not None:
            raise InputError("counts and classes go with a list of tokens, not with a vocabulary file")
        loaded = read_vocabulary(vocabulary)
    else:
        loaded = make_vocabulary(vocabulary, counts=counts, classes=classes)
    path = Path(folder).absolute()
    plan = {
        "corpus": {"kind": "recorded", "name": name},
        "cadence": {"keyframe_every": whole_number(keyframe_every, "keyframe_every")},
        "steps": 1 if steps is None else whole_number(steps, "steps"),
        "disk_budget": whole_number(disk_budget, "disk_budget"),
    }
    return Recorder(path, loaded, plan, open_end=steps is None, embedding=embedding)


def make_recorded_recipe(plan: dict[str, Any], dim: int) -> Recipe:
    """Return the recipe of a recorded run.

    Raises:
        InputError: a value in `plan` is out of range.
    """
    try:
        return Recipe.model_validate({**plan, "model": {"dim": dim, "heads": 1}})
    except ValidationError as error:
        raise InputError(explain_validation_error(error)) from error


class Recorder:
    """A recorder of one training loop. Use it in a `with` and from one thread; it holds the run's trainer role."""

    def __init__(
        self, path: Path, vocabulary: Vocabulary, plan: dict[str, Any], *, open_end: bool, embedding: Any
    ) -> None:
        """Check the arguments (see `record`), and create the run if `embedding` is given."""
        self._path, self._vocabulary, self._plan = path, vocabulary, plan
        self._end: int = 0 if open_end else plan["steps"]
        self._open_end = open_end
        self._recording: StepRecording | None = None
        self._closed = False
        self._disk_full = False
        self.at = 0
        """Steps recorded so far."""
        make_recorded_recipe(plan, 2)
        try:
            require_free_path(path)
        except FileExistsError:
            raise
        except ValueError as error:
            raise InputError(str(error)) from error
        self._returned = time.perf_counter()
        if embedding is not None:
            matrix = embedding if hasattr(embedding, "changed_rows") else self._checked_matrix(embedding)
            self._recording = self._create_recording(matrix, first=0)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            description = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            self.close(Phase.INTERRUPTED, f"the loop stopped after step {self.at}: {description}"[:500])

    @property
    def run(self) -> RunFolder | None:
        """Return the run's folder; None before the first matrix."""
        return self._recording.run if self._recording else None

    def step(
        self,
        embedding: Any,
        token_ids: Any,
        loss: Any,
        *,
        learning_rate: float | None = None,
        gradient: Any = None,
        gradient_norms: Any = None,
        step: SupportsIndex | None = None,
    ) -> None:
        """Record one step, after the optimiser's update. Costs a comparison of the matrix and a commit.

        Args:
            embedding: the matrix after the step, shape (V, D): a tensor on any device or an array; float32 is kept
                bit for bit, other precisions as float32.
            token_ids: the batch's token ids, whole numbers of any shape.
            loss: the batch's loss, in nats a token.
            learning_rate: the embedding's learning rate.
            gradient: the embedding's gradient, `weight.grad`, dense or sparse, shape (V, D), before it is cleared. If
                the first step has one, its norm is also charted.
            gradient_norms: in place of `gradient`: the norms of its rows, shape (V,), or a pair of the ids of its non-zero
                rows and their norms.
            step: the step's number in the loop, above the one before; by default that plus one.

        Raises:
            InputError: an argument does not fit the vocabulary or the previous matrix; the step is not recorded.
        """
        if self._closed:
            raise InputError("this recorder is closed")
        seconds, ended = time.perf_counter() - self._returned, time.time()
        matrix = self._checked_matrix(embedding)
        batch = count_batch_rows(token_ids, len(self._vocabulary))
        gradient_rows = find_gradient_rows(gradient, len(self._vocabulary)) if gradient is not None else None
        scalars = to_float32_scalar(loss), to_float32_scalar(learning_rate)
        first = self._recording is None
        if self._recording is None and not self._disk_full:
            self._try_create_recording(matrix)
        if self._recording is None:
            return
        recording, step = self._recording, self.at + 1
        if step == 1:
            recording.layers = ["embedding"] if gradient_rows is not None else []
            recording.set_facts({"layers": recording.layers})
        if self._open_end and step > self._end:
            self._end = _displayed_end(step)
            recording.set_facts({"steps": self._end})
        recording.commit(step, matrix, batch, gradient_rows, scalars, ended, seconds, seen_first=first)
        self.at = step
        self._returned = time.perf_counter()

    def step_found(
        self,
        changed: ChangedRows,
        batch: tuple[UInts, UInts],
        loss: float | None,
        *,
        learning_rate: float | None,
        gradient: tuple[UInts, Floats] | None,
        step: int,
        ended: float,
        seconds: float,
    ) -> None:
        if self._recording is None or self._closed:
            raise InputError("this recorder is closed")
        recording, step = self._recording, self.at + 1
        if step == 1:
            recording.layers = ["embedding"] if gradient is not None else []
            recording.set_facts({"layers": recording.layers})
        if self._open_end and step > self._end:
            self._end = _displayed_end(step)
            recording.set_facts({"steps": self._end})
        scalars = to_float32_scalar(loss), to_float32_scalar(learning_rate)
        recording.commit(step, changed, batch, gradient, scalars, ended, seconds, seen_first=False)
        self.at = step

    def add_scalars(self, values: dict[str, float]) -> None:
        pass

    def close(self, phase: str = Phase.FINISHED, message: str = "") -> None:
        """End the run (`with` does it). A run that never began leaves no files.

        Args:
            phase: how it ended: `finished`, `interrupted` or `failed`.
            message: more about it, for people; by default how many steps are recorded.

        Raises:
            InputError: `phase` is none of these.
        """
        if phase not in ENDED_PHASES:
            raise InputError(f"phase: {', '.join(ENDED_PHASES)}, not {phase!r}")
        if self._closed:
            return
        self._closed = True
        if self._recording is not None:
            self._recording.finish(self.at, Phase(phase), message or f"all {self.at} steps are recorded")

    def _checked_matrix(self, embedding: Any) -> Floats:
        matrix = to_matrix(embedding)
        if len(matrix) != len(self._vocabulary):
            raise InputError(
                f"the embedding has {len(matrix):,} rows and the vocabulary {len(self._vocabulary):,} tokens:"
                f" {unequal(len(matrix), len(self._vocabulary))}"
            )
        if self._recording is not None and matrix.shape != self._recording.matrix_diff.matrix.shape:
            raise InputError(
                f"the embedding was {self._recording.matrix_diff.matrix.shape[1]} wide and is now {matrix.shape[1]}"
            )
        return matrix

    def _try_create_recording(self, matrix: Floats) -> None:
        """Create the run in the middle of a loop, which must not stop because the disk is full."""
        try:
            self._recording = self._create_recording(matrix, first=1)
        except (*DISK_FULL_ERRORS, OSError) as error:
            if not is_disk_full(error):
                raise
            self._disk_full = True
            log.warning("the disk is full (%s): the loop goes on and is not recorded", error)

    def _create_recording(self, matrix: Any, first: int) -> StepRecording:
        run = create_recorded_run(
            self._path, make_recorded_recipe(self._plan, matrix.shape[1]), self._vocabulary
        )
        lock = RoleLock(run.path, "trainer")
        try:
            return StepRecording(run, lock, matrix, first, 1 if self._open_end else self._end)
        except BaseException as error:
            lock.close()
            if is_disk_full(error):
                shutil.rmtree(run.path, ignore_errors=True)
            raise


def _displayed_end(step: int) -> int:
    """Return the next of 100, 200, 500, 1000, ...: the end shown for a loop whose length is unknown."""
    scale = 100
    while True:
        for factor in (1, 2, 5):
            if step <= factor * scale:
                return factor * scale
        scale *= 10
