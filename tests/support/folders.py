"""Run folders as a trainer, a projector and an analyst leave them, made without these processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lamplighter.contract.recipe import Cadence, CorpusRecipe, ModelRecipe, Recipe
from lamplighter.runfolder.reading.curves import MARK, read_curve_measures
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census, Rows
from lamplighter.wire.vocabulary import Relation, Vocabulary
from tests.support.runs import batch_counts

V, D = 40, 4
KEYFRAME_EVERY = 10
CONTEXT, SEQUENCES = 8, 4
BATCH_TOKENS = CONTEXT * SEQUENCES
TOKENS = (
    "the",
    "dog",
    "Dog",
    "dogs",
    "hotdog",
    "cat",
    "/",
    "..",
    "<b>",
    "ü",
    *(f"word{i}" for i in range(V - 10)),
)


def make_run(run_store: RunStore, *, steps: int = 100, prepared: bool = True) -> RunFolder:
    recipe = Recipe(
        corpus=CorpusRecipe(kind="lamptown"),
        model=ModelRecipe(dim=D, heads=2, context=CONTEXT),
        cadence=Cadence(keyframe_every=KEYFRAME_EVERY),
        sequences=SEQUENCES,
        passages=2,
        steps=steps,
    )
    run = run_store.create(recipe)
    if prepared:
        ids = np.random.default_rng(0).integers(0, V, size=500).astype(np.uint32)
        classes = {"animals": (1, 2, 3, 5), "marks": (6, 7)}
        vocabulary = Vocabulary(
            TOKENS, np.arange(V, 0, -1, dtype=np.int64), classes, (Relation("plural", ((1, 3),)),)
        )
        run.write_corpus(ids, vocabulary, "{}")
    return run


class FakeTrainer:
    """A writer of steps whose every number follows from attempt and step, as fast as the test demands."""

    def __init__(
        self, run: RunFolder, *, rows: bool = True, loss_of: Callable[[int], float] = lambda step: 2.5
    ) -> None:
        self.run = run
        self.rows = rows
        self.loss_of = loss_of
        self.lock = RoleLock(run.path, "trainer")
        self.writer = StepsWriter(run.steps_path)
        self.matrices: dict[int, np.ndarray] = {}
        self.step = 0
        self.clock = 0
        """The steps before step 0, of the parents of a fork."""
        self.matrix = np.random.default_rng(1).standard_normal((V, D)).astype(np.float32)
        self.touches = np.zeros(V, dtype=np.uint32)
        self.last_lit = np.full(V, NEVER, dtype=np.uint32)

    def begin(self) -> FakeTrainer:
        self.writer.start_attempt(0)
        self.writer.add_keyframe(0, self._keyframe(), self._census())
        self.writer.set_facts({"phase": "running", "layers": ["embedding", "block 1"], "parameters": 1234})
        self.matrices[0] = self.matrix.copy()
        return self

    def train(self, steps: int) -> FakeTrainer:
        for _ in range(steps):
            self.train_one()
        return self

    def train_one(self) -> None:
        self.step += 1
        draw = np.random.default_rng([self.writer.attempt, self.clock + self.step])
        ids = np.unique(draw.integers(0, V, 6)).astype(np.uint32)
        self.matrix[ids] += np.float32(0.01 * self.writer.attempt)
        self.touches[ids] += 1
        self.last_lit[ids] = self.step
        self.matrices[self.step] = self.matrix.copy()
        key = self.step % KEYFRAME_EVERY == 0
        rows = Rows(self.writer.attempt, self.step, time.time(), V, ids, self.matrix[ids])
        self.writer.commit(
            StepRecord(
                self.step,
                encode(pulse(self.writer.attempt, self.step, ids, self.loss_of(self.step))),
                b"digest",
                encode(rows) if self.rows else None,
                self._keyframe() if key else None,
                self._census() if key else None,
            )
        )

    def start_attempt_after(self, step: int) -> FakeTrainer:
        """Open a new attempt that supersedes every step after `step`."""
        self.writer.start_attempt(step + 1)
        self.step = step
        self.matrix = self.matrices[step].copy()
        return self

    def end(self, phase: str = "finished") -> bool:
        """Write the last facts, then seal the file. Returns whether that worked."""
        self.writer.add_event(self.step, phase, "", {"phase": phase, "message": "all done"})
        done = self.writer.close(sealed=True)
        self.lock.close()
        return done

    def crash(self) -> None:
        """Leave without closing; to a reader this equals kill -9."""
        self.writer.close()
        self.lock.close()

    def _keyframe(self) -> bytes:
        return encode(Rows.of_matrix(self.writer.attempt, self.step, time.time(), self.matrix))

    def _census(self) -> bytes:
        return encode(Census(self.writer.attempt, self.step, time.time(), self.touches, self.last_lit))


def pulse(attempt: int, step: int, ids: np.ndarray | None = None, loss: float = 2.5) -> Pulse:
    found = np.array([1, 5, 7], dtype=np.uint32) if ids is None else ids.astype(np.uint32)
    ones = np.ones(len(found), dtype=np.float32)
    return Pulse(
        attempt=attempt,
        step=step,
        time=time.time(),
        vocabulary=V,
        loss=loss,
        learning_rate=0.003,
        tokens_per_second=1000.0,
        step_seconds=0.01,
        observe_seconds=0.001,
        batch_ids=found,
        batch_counts=batch_counts(len(found), BATCH_TOKENS),
        gradient_ids=found,
        gradient_norms=ones,
        moved_ids=found,
        moved_distances=ones,
        layer_norms=np.array([1.0, 2.0], dtype=np.float32),
    )


def layout(attempt: int, step: int, method: Method = Method.UMAP) -> Layout:
    places = np.random.default_rng(step).standard_normal((V, 2)).astype(np.float32)
    return Layout(
        attempt, step, time.time(), method, places, trust=0.9, trust_error=0.01, recall=0.5, sample=20
    )


def write_layouts(run: RunFolder, *layouts: Layout) -> None:
    with LayoutsWriter(run.layouts_path) as writer:
        for one in layouts:
            writer.commit(one)


def finished_run(folder: Path, steps: int = 35, *, rows: bool = True) -> RunFolder:
    run = make_run(RunStore(folder))
    assert FakeTrainer(run, rows=rows).begin().train(steps).end()
    return run


def write_measures(run: RunFolder) -> None:
    """Write a complete set of measures for each step of a run's curve and for its last step."""
    with MatrixHistory(run) as history:
        steps = sorted({*read_curve_measures(run, history).wanted, history.steps.newest_step()})
    with MeasuresWriter(run.measures_path) as writer:
        for attempt, step in steps:
            writer.commit(attempt, step, {MARK: 0.5})
