"""The committer of steps: what it keeps of each step, without loss on the way to the frame.

A file whose writer was killed with a rollback journal: every reader sees the state before it.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import apsw
import numpy as np
import pytest

from lamplighter.contract.recipe import Cadence, ModelRecipe, Recipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.runfolder.tables.scalars import decode_scalars
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.step_commit import MeasuredStep, StepCommitter
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse, StepEffects
from lamplighter.wire.row_frames import NEVER, Census, Rows

V, D = 6, 2


class SmallMatrix:
    def __init__(self) -> None:
        self.matrix: Floats = np.arange(V * D, dtype=np.float32).reshape(V, D)
        self.touches: UInts = np.zeros(V, dtype=np.uint32)
        self.last_lit: UInts = np.full(V, NEVER, dtype=np.uint32)

    def embedding(self) -> Floats:
        return self.matrix


def measured(step: int, vectors: Floats | None = None) -> MeasuredStep:
    effects = StepEffects(
        step=step,
        loss=2.5,
        batch_ids=np.array([1, 3], dtype=np.uint32),
        batch_counts=np.array([4, 2], dtype=np.uint32),
        gradient_ids=np.array([1], dtype=np.uint32),
        gradient_norms=np.array([0.5], dtype=np.float32),
        moved_ids=np.array([3], dtype=np.uint32),
        moved_distances=np.array([0.25], dtype=np.float32),
        layer_norms=np.array([1, 2], dtype=np.float32),
        verified=True,
    )
    return MeasuredStep(effects, vectors, b"digest", 0.125, 1e9, 0.75)


MOVED = np.array([[9, 8]], dtype=np.float32)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    recipe = Recipe(model=ModelRecipe(dim=D, heads=1), cadence=Cadence(keyframe_every=10))
    return RunStore(tmp_path).create(recipe)


def test_a_pulse_has_every_effect_of_its_step(run: RunFolder):
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        committer = StepCommitter(run, writer, SmallMatrix())
        committer.observe_seconds = 0.25
        step = measured(1)
        assert committer.commit(committer.encode_step(step))
    with StepsReader(run.steps_path) as reader:
        pulse = decode_as(reader.pulses(1, 1)[0][1], Pulse)
        assert reader.digests(1, 1) == {1: b"digest"}
    for name, value in step.effects.effects_by_name().items():
        np.testing.assert_array_equal(getattr(pulse, name), value)
    assert (pulse.attempt, pulse.time, pulse.vocabulary, pulse.learning_rate) == (1, 1e9, V, 0.125)
    assert (pulse.step_seconds, pulse.observe_seconds, pulse.tokens_per_second) == (0.75, 0.25, 6.0)
    assert not pulse.merged


def test_keeps_moved_rows_and_periodic_keyframes(run: RunFolder):
    matrix = SmallMatrix()
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        committer = StepCommitter(run, writer, matrix)
        record = committer.encode_step(measured(9, MOVED))
        assert record.rows is not None
        assert (record.keyframe, record.census) == (None, None)
        rows = decode_as(record.rows, Rows)
        assert (rows.attempt, rows.step, rows.time, rows.vocabulary) == (1, 9, 1e9, V)
        assert rows.token_ids.tolist() == [3]
        np.testing.assert_array_equal(rows.vectors, MOVED)

        record = committer.encode_step(measured(10, MOVED))
        assert record.rows is not None
        assert record.keyframe is not None
        assert record.census is not None
        keyframe, census = decode_as(record.keyframe, Rows), decode_as(record.census, Census)
        assert keyframe.whole
        np.testing.assert_array_equal(keyframe.vectors, matrix.matrix)
        assert (census.step, census.last_lit.tolist()) == (10, [NEVER] * V)


def test_a_keyframe_has_the_loss_on_held_out_text(run: RunFolder):
    beside: dict[str, float] = {}
    losses = iter([(7.5, beside), (4.25, {"loss_decile 1": 2.5})])
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        committer = StepCommitter(run, writer, SmallMatrix(), measure_held_out=lambda: next(losses))
        committer.add_keyframe(0)
        committer.add_held_out_loss(0)
        for step in range(1, 12):
            committer.commit(committer.encode_step(measured(step, MOVED)))
    with StepsReader(run.steps_path) as reader:
        assert reader.held_out_losses(0, 99) == {0: 7.5, 10: 4.25}
        assert reader.held_out_losses(1, 9) == {}
        assert {step: decode_scalars(text) for step, text in reader.scalars(0, 99).items()} == {
            10: {"loss_decile 1": 2.5}
        }


def test_keeps_the_lines_of_a_step(run: RunFolder):
    line = SpokenLine((1,), (2, 3), (0.5, 0.25), False)
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        committer = StepCommitter(
            run, writer, SmallMatrix(), say_lines=lambda step: [line] if step in (0, 2) else []
        )
        committer.add_keyframe(0)
        committer.add_lines(0)
        for step in range(1, 5):
            committer.commit(committer.encode_step(measured(step, MOVED)))
    with StepsReader(run.steps_path) as reader:
        assert reader.lines(0, 99, 9) == {0: encode_lines([line]), 2: encode_lines([line])}


def test_drops_lines_before_scalars_on_a_full_disk(run: RunFolder):
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        committer = StepCommitter(run, writer, SmallMatrix())
        record = committer.encode_step(measured(1))
        # The free space in the pages of a full file fits a pulse, not a long line.
        connection = writer._connection  # pyright: ignore[reportPrivateUsage]
        connection.pragma("max_page_count", connection.pragma("page_count"))
        assert (record.rows, record.keyframe) == (None, None)
        assert not committer.commit(replace(record, lines="x" * 40_000))
    with StepsReader(run.steps_path) as reader:
        assert reader.newest_step() == (1, 1)
        assert reader.lines(0, 99, 9) == {}
        assert [event.kind for event in reader.events()] == ["full"]


def test_a_matrix_can_replace_moved_rows(run: RunFolder):
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        committer = StepCommitter(run, writer, SmallMatrix())
        whole = committer.encode_step(measured(4, MOVED), whole=True)
        assert whole.rows is None
        assert whole.keyframe is not None
        # More rows moved than are worth keeping.
        many = committer.encode_step(measured(5))
        assert (many.rows, many.keyframe) == (None, None)


def test_does_not_resume_what_the_budget_stopped(run: RunFolder):
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        committer = StepCommitter(run, writer, SmallMatrix(), {"snapshots": "keyframes"})
        assert committer.snapshots == "keyframes"
        record = committer.encode_step(measured(10, MOVED))
        assert record.rows is None
        assert record.keyframe is not None
        none = StepCommitter(run, writer, SmallMatrix(), {"snapshots": "none"})
        record = none.encode_step(measured(20, MOVED), whole=True)
        assert (record.rows, record.keyframe, record.census) == (None, None, None)


def test_adds_a_keyframe_to_a_committed_step(run: RunFolder):
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        committer = StepCommitter(run, writer, SmallMatrix())
        committer.add_keyframe(0)
        committer.commit(committer.encode_step(measured(1)))
        committer.add_keyframe(1)
    with StepsReader(run.steps_path) as reader:
        assert reader.keyframe_steps() == [(1, 0), (1, 1)]


def test_keeps_the_first_matrix_only_within_the_budget(tmp_path: Path):
    matrix = SmallMatrix()
    matrix.touches = np.zeros(100_000, dtype=np.uint32)
    for budget, fits in ((10_000_000, True), (1_500_000, False)):
        recipe = Recipe(model=ModelRecipe(dim=D, heads=1), disk_budget=budget)
        run = RunStore(tmp_path).create(recipe)
        with StepsWriter(run.steps_path) as writer:
            writer.start_attempt(0)
            assert StepCommitter(run, writer, matrix).has_room_for_first_keyframe() is fits


def test_checks_the_budget_before_each_keyframe(tmp_path: Path):
    run = RunStore(tmp_path).create(
        Recipe(model=ModelRecipe(dim=D, heads=1), cadence=Cadence(keyframe_every=10), disk_budget=2_000_000)
    )
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        committer = StepCommitter(run, writer, SmallMatrix(), {"snapshots": "keyframes"})
        assert committer.encode_step(measured(10)).keyframe is not None
        with (run.path / "filling").open("wb") as file:
            file.truncate(2_000_000)
        # Other files are measured only at intervals.
        assert committer.encode_step(measured(50)).keyframe is None
        assert committer.snapshots == "none"


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """Return a finished record with an unfinished transaction, half in the file and all in the journal."""
    path = tmp_path / "steps.sqlite"
    with StepsWriter(path) as writer:
        writer.start_attempt(0)
        for step in range(1, 51):
            writer.commit(StepRecord(step, b"pulse" * 2_000, b"digest"))
        writer.set_facts({"phase": "finished"})
        assert writer.close(sealed=True)
    (tmp_path / "left").mkdir()
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA cache_size=1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE pulses SET record=?, digest=?", (b"x" * 10_000, b"half"))
    for name in ("steps.sqlite", "steps.sqlite-journal"):
        shutil.copy(tmp_path / name, tmp_path / "left" / name)
    connection.close()
    return tmp_path / "left" / "steps.sqlite"


def test_the_first_reader_rolls_back_an_unfinished_transaction(left: Path) -> None:
    assert left.with_name("steps.sqlite-journal").stat().st_size > 0
    for _ in range(2):
        with StepsReader(left) as reader:
            assert reader.facts() == {"phase": "finished"}
            assert reader.digests(1, 50) == dict.fromkeys(range(1, 51), b"digest")
    assert not left.with_name("steps.sqlite-journal").exists()
