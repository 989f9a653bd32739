"""A run folder that grows without a model: planted classes drift together, a few rows per step."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lamplighter.contract.recipe import Cadence, ModelRecipe, Recipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census, Rows
from lamplighter.wire.vocabulary import Relation, Vocabulary
from tests.support.runs import batch_counts


class GrowingRun:
    """A stand-in for the trainer: each `step` pulls some rows towards the centre of their class."""

    def __init__(
        self,
        runs: Path,
        *,
        size: int = 240,
        dim: int = 16,
        classes: int = 8,
        keyframe_every: int = 10,
        dense: bool = False,
        seed: int = 0,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.size = size
        self.dense = dense
        self.keyframe_every = keyframe_every
        self.class_of = np.arange(size) % classes
        self.centres = (2 * self.rng.normal(size=(classes, dim))).astype(np.float32)
        self.vectors = self.rng.normal(size=(size, dim)).astype(np.float32)
        self.history = {0: self.vectors.copy()}
        self.touches = np.zeros(size, dtype=np.uint32)
        self.last_lit = np.full(size, NEVER, dtype=np.uint32)
        recipe = Recipe(model=ModelRecipe(dim=dim, heads=1), cadence=Cadence(keyframe_every=keyframe_every))
        self.folder: RunFolder = RunStore(runs).create(recipe)
        members = {f"class {c}": tuple(np.flatnonzero(self.class_of == c).tolist()) for c in range(classes)}
        self.folder.write_corpus(
            np.arange(size, dtype=np.uint32),
            Vocabulary(
                tuple(f"word{i}" for i in range(size)),
                np.arange(size, 0, -1, dtype=np.int64),
                members,
                (Relation("next", ((0, 1), (2, 3))),) if size >= 4 else (),
            ),
            "{}",
        )
        self.writer = StepsWriter(self.folder.steps_path)
        self.writer.start_attempt(0)
        self.writer.add_keyframe(0, self._matrix(0), self._census(0))
        self.writer.set_facts({"phase": "running", "steps": 1000})
        self.at = 0
        self.held_out_loss: Callable[[int], float] | None = None
        """The held-out loss of each keyframe, by step."""

    def step(self, rows: int = 40, pull: float = 0.15) -> None:
        """Commit one more step."""
        self.at += 1
        ids = np.sort(self.rng.choice(self.size, min(rows, self.size), replace=False)).astype(np.uint32)
        target = self.centres[self.class_of[ids]]
        before = self.vectors[ids]
        self.vectors[ids] += np.float32(pull) * (target - before)
        self.history[self.at] = self.vectors.copy()
        self.touches[ids] += 1
        self.last_lit[ids] = self.at
        moved = np.linalg.norm(self.vectors[ids] - before, axis=1).astype(np.float32)
        counts = batch_counts(len(ids), self.folder.recipe.batch_tokens)
        floats = np.ones(len(ids), dtype=np.float32)
        pulse = Pulse(
            attempt=self.writer.attempt, step=self.at, time=time.time(), vocabulary=self.size, loss=1.0,
            learning_rate=1e-3, tokens_per_second=1.0, step_seconds=0.01, observe_seconds=0.0,
            batch_ids=ids, batch_counts=counts, gradient_ids=ids, gradient_norms=floats,
            moved_ids=ids, moved_distances=moved, layer_norms=np.ones(1, dtype=np.float32),
        )  # fmt: skip
        key = self.at % self.keyframe_every == 0
        delta = Rows(self.writer.attempt, self.at, time.time(), self.size, ids, self.vectors[ids])
        self.writer.commit(
            StepRecord(
                self.at,
                encode(pulse),
                bytes(8),
                None if self.dense else encode(delta),
                self._matrix(self.at) if key else None,
                self._census(self.at) if key else None,
                self.held_out_loss(self.at) if key and self.held_out_loss else None,
            )
        )

    def grow(self, steps: int, pause: float = 0.0, rows: int = 40, pull: float = 0.15) -> None:
        """Commit several steps, `pause` seconds apart."""
        for _ in range(steps):
            self.step(rows, pull)
            time.sleep(pause)

    def resume_from(self, step: int) -> None:
        """Open a new attempt that supersedes the steps after `step` and drifts another way."""
        self.vectors = self.history[step].copy()
        self.at = step
        self.writer.start_attempt(step + 1)
        self.centres = self.centres[::-1].copy()

    def end(self, *, sealed: bool = True, phase: str = "finished") -> bool:
        """Write the final phase and close the file. Returns whether it was closed cleanly."""
        self.writer.set_facts({"phase": phase})
        return self.writer.close(sealed=sealed)

    def _matrix(self, step: int) -> bytes:
        return encode(Rows.of_matrix(self.writer.attempt, step, time.time(), self.vectors))

    def _census(self, step: int) -> bytes:
        return encode(Census(self.writer.attempt, step, time.time(), self.touches, self.last_lit))
