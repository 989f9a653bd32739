"""A run's record against an in-memory model: every kept step survives any sequence of events."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lamplighter.analysis import analyst
from lamplighter.contract.recipe import Recipe
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.archive.run_zip import write_zip
from lamplighter.exports.output import no_progress
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_backup import back_up
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables import row_pruning
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.runs import batch_counts

V, D = 7, 2

ids = st.sets(st.integers(0, V - 1), min_size=1).map(lambda some: np.array(sorted(some), dtype=np.uint32))


@dataclass(frozen=True)
class Step:
    """A step that counts, with the values that reading it must return."""

    attempt: int
    matrix: np.ndarray
    pulse: bytes
    rows: bool
    key: bool


class CommitInterrupted(Exception):
    """An interruption in the middle of a commit."""


class RunMachine(RuleBasedStateMachine):
    """The actions of a trainer, an analyst and a copying user, in any order, with crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.random = np.random.default_rng(0)
        self.steps: list[Step] = []
        self.attempt = 0
        self.snapshots = True
        self.copies = 0
        self._writer: StepsWriter | None = None
        recipe = Recipe.model_validate(
            {"corpus": {"kind": "text", "name": "x"}, "model": {"dim": D, "heads": 1, "context": 8}}
        )
        self.run = RunStore(self.folder / "runs").create(recipe, "text")
        tokens = tuple(f"t{i}" for i in range(V))
        vocabulary = Vocabulary(tokens, np.arange(V, 0, -1, dtype=np.int64), {}, ())
        self.run.write_corpus(np.arange(V, dtype=np.uint32), vocabulary, "{}")

    def teardown(self) -> None:
        self._close()
        shutil.rmtree(self.folder)

    @property
    def writer(self) -> StepsWriter:
        if self._writer is None:
            self._writer = StepsWriter(self.run.steps_path)
            assert self._writer.attempt == self.attempt
        return self._writer

    @initialize()
    def start(self) -> None:
        matrix = self.random.standard_normal((V, D)).astype(np.float32)
        with self.writer.transaction():
            self.attempt = self.writer.start_attempt(0)
            self.writer.add_keyframe(0, _matrix(1, 0, matrix), _census(1, 0))
        self.steps.append(Step(1, matrix, b"", rows=False, key=True))

    def _next(self, moved: np.ndarray, key: bool) -> tuple[Step, StepRecord]:
        step, matrix = len(self.steps), self.steps[-1].matrix.copy()
        matrix[moved] = self.random.standard_normal((len(moved), D)).astype(np.float32)
        ones = np.ones(len(moved), np.float32)
        pulse = encode(
            Pulse(
                attempt=self.attempt, step=step, time=1e9 + step, vocabulary=V, loss=1.0, learning_rate=0.1,
                tokens_per_second=1.0, step_seconds=1.0, observe_seconds=1.0,
                batch_ids=moved, batch_counts=batch_counts(len(moved), self.run.recipe.batch_tokens),
                gradient_ids=moved, gradient_norms=ones,
                moved_ids=moved, moved_distances=ones, layer_norms=ones[:1],
            )
        )  # fmt: skip
        rows = (
            encode(Rows(self.attempt, step, 1e9 + step, V, moved, matrix[moved])) if self.snapshots else None
        )
        frames = (_matrix(self.attempt, step, matrix), _census(self.attempt, step)) if key else (None, None)
        return (
            Step(self.attempt, matrix, pulse, rows is not None, key),
            StepRecord(step, pulse, bytes([step % 256, self.attempt]), rows, *frames),
        )

    @rule(moves=st.lists(ids, min_size=1, max_size=6), key_at=st.integers(0, 8))
    def steps(self, moves: list[np.ndarray], key_at: int) -> None:
        for number, moved in enumerate(moves):
            made, record = self._next(moved, key=number == key_at)
            self.writer.commit(record)
            self.steps.append(made)

    @rule()
    def pause_or_resume_snapshots(self) -> None:
        self.snapshots = not self.snapshots

    @rule(where=st.floats(0, 1))
    def a_new_attempt(self, where: float) -> None:
        first = 1 + round(where * (len(self.steps) - 1))
        self.attempt = self.writer.start_attempt(first)
        del self.steps[first:]

    @rule(moved=ids, key=st.booleans(), new_attempt=st.booleans())
    def die_in_the_middle_of_a_commit(self, moved: np.ndarray, key: bool, new_attempt: bool) -> None:
        _, record = self._next(moved, key)
        with pytest.raises(CommitInterrupted):
            self._commit_and_die(record, new_attempt)
        self._close()

    def _commit_and_die(self, record: StepRecord, new_attempt: bool) -> None:
        with self.writer.transaction():
            if new_attempt:
                self.writer.start_attempt(len(self.steps))
            self.writer.commit(record)
            raise CommitInterrupted

    @rule()
    def a_power_cut(self) -> None:
        """Copy the files while the writer has them open, without the readers' shared memory."""
        _ = self.writer
        cut = RunFolder(self._fresh("cut"))
        for path in self.run.path.iterdir():
            if path.is_file() and not path.name.endswith("-shm"):
                shutil.copy(path, cut.path / path.name)
        cut.checkpoints.mkdir()
        self._close()
        self.run = cut

    @rule(sealed=st.booleans())
    def close(self, sealed: bool) -> None:
        _ = self.writer
        self._close(sealed=sealed)

    @rule(over=st.booleans(), most=st.integers(1, 3))
    def tile(self, over: bool, most: int) -> None:
        with TilesWriter(self.run.tiles_path) as tiles:
            for _ in range(most):
                with MatrixHistory(self.run) as history:
                    if not analyst.tile_next_stretch(history, tiles, over=over):
                        break

    @rule()
    def drop_what_is_tiled(self) -> None:
        self.writer.compact()

    @rule()
    def a_backup(self) -> None:
        copy = RunFolder(self._fresh("copy"))
        for path in (self.run.steps_path, self.run.tiles_path):
            if path.exists():
                back_up(path, copy.path / path.name)
        self._compare(copy)
        shutil.rmtree(copy.path)

    @precondition(lambda self: len(self.steps) > 1)
    @rule()
    def a_zip_brought_elsewhere(self) -> None:
        out = self._fresh("zip") / "run.zip"
        write_zip(self.run, out, no_progress)
        made, _ = import_zip(RunStore(self.folder / "elsewhere"), out, no_progress)
        self._compare(made)
        shutil.rmtree(self.folder / "elsewhere")

    @invariant()
    def every_step_is_what_the_model_says(self) -> None:
        if self.steps:
            self._compare(self.run)

    def _compare(self, run: RunFolder) -> None:
        exact = _exact(self.steps)
        with MatrixHistory(run) as history:
            last = len(self.steps) - 1
            assert history.steps.newest_step() == (self.steps[-1].attempt, last)
            assert history.steps.pulses(1, last) == [(n, s.pulse) for n, s in enumerate(self.steps) if n]
            assert history.steps.digests(1, last) == {
                n: bytes([n % 256, s.attempt]) for n, s in enumerate(self.steps) if n
            }
            assert history.exact_steps().tolist() == exact
            for number, step in enumerate(self.steps):
                if number in exact:
                    found = history.snapshot(number)
                    assert (found.attempt, found.step) == (step.attempt, number)
                    np.testing.assert_array_equal(found.vectors, step.matrix)
                else:
                    with pytest.raises(NoSnapshotError) as caught:
                        history.snapshot(number)
                    assert caught.value.nearest == max(n for n in exact if n < number)
            self._compare_ranges(history, exact)

    def _compare_ranges(self, history: MatrixHistory, exact: list[int]) -> None:
        reached = next((n - 1 for n in range(len(self.steps)) if n not in exact), len(self.steps) - 1)
        for every in (1, 3):
            walked = list(history.snapshots(0, reached, every))
            assert [(s.attempt, s.step) for s in walked] == [
                (self.steps[n].attempt, n) for n in range(0, reached + 1, every)
            ]
            for snapshot in walked:
                np.testing.assert_array_equal(snapshot.vectors, self.steps[snapshot.step].matrix)
        for token, first in ((0, 0), (V - 1, exact[len(exact) // 2])):
            path = history.token_history(token, first)
            assert path.steps.tolist() == [n for n in exact if n >= first]
            expected = np.stack([self.steps[n].matrix[token] for n in path.steps])
            np.testing.assert_array_equal(path.vectors, expected)

    def _close(self, *, sealed: bool = False) -> None:
        if self._writer is not None:
            assert self._writer.close(sealed=sealed) is sealed
            self._writer = None

    def _fresh(self, name: str) -> Path:
        self.copies += 1
        path = self.folder / f"{name}-{self.copies}"
        path.mkdir()
        return path


def _exact(line: list[Step]) -> list[int]:
    found: list[int] = []
    for number, step in enumerate(line):
        if step.key or (step.rows and found and found[-1] == number - 1):
            found.append(number)
    return found


def _matrix(attempt: int, step: int, matrix: np.ndarray) -> bytes:
    return encode(Rows.of_matrix(attempt, step, 1e9 + step, matrix))


def _census(attempt: int, step: int) -> bytes:
    return encode(Census(attempt, step, 1e9 + step, np.zeros(V, np.uint32), np.zeros(V, np.uint32)))


@pytest.mark.parametrize("examples", [10, pytest.param(60, marks=pytest.mark.tour)])
def test_kept_steps_survive_any_sequence_of_events(examples: int):
    with (
        # Stretches and distances of only a few steps, so that a few dozen steps cross every boundary.
        patch.object(analyst, "MAX_STRETCH_STEPS", 5),
        patch.object(row_pruning, "MAX_KEYFRAME_GAP", 6),
        patch.object(row_pruning, "UNPRUNED_STEPS", 3),
        patch.object(row_pruning, "_READ_EVERY", 2),
    ):
        run_state_machine_as_test(
            RunMachine,
            settings=settings(max_examples=examples, stateful_step_count=25, deadline=None, print_blob=True),
        )
