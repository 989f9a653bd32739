"""A class without training: a run of many tokens, written at the pace of beats, and viewers who join."""

from __future__ import annotations

import threading
import time

import numpy as np

from lamplighter.contract.recipe import CorpusRecipe, ModelRecipe, Recipe
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census, Rows
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.classroom.class_client import ClassClient

STEPS_PER_SECOND = 10
"""More steps than are shown, as in a real run."""
_DIM = 4


class ClassRun:
    """A run whose steps light `batch` of `tokens` rows each, and whose map moves once a second as a trained one does."""

    def __init__(self, store: RunStore, tokens: int, batch: int, per_second: int = STEPS_PER_SECOND) -> None:
        """Make the folder, with the step before the first."""
        recipe = Recipe(
            corpus=CorpusRecipe(kind="lamptown"), model=ModelRecipe(dim=_DIM, heads=2), steps=100_000
        )
        self.run: RunFolder = store.create(recipe)
        words = tuple(f"word{number}" for number in range(tokens))
        self.run.write_corpus(
            np.arange(5_000, dtype=np.uint32) % tokens,
            Vocabulary(words, np.ones(tokens, np.int64), {}, ()),
            "{}",
        )
        self._lock = RoleLock(self.run.path, "trainer")
        self._writer = StepsWriter(self.run.steps_path)
        self._writer.start_attempt(0)
        none = np.zeros(tokens, np.uint32)
        self._writer.add_keyframe(
            0,
            encode(Rows.of_matrix(1, 0, time.time(), np.zeros((tokens, _DIM), np.float32))),
            encode(Census(1, 0, time.time(), none, none + np.uint32(NEVER))),
        )
        self._writer.set_facts({"phase": "running", "layers": ["embedding"], "parameters": 1})
        self._tokens, self._batch, self._per_second = tokens, batch, per_second
        self._random = np.random.default_rng(0)
        self._places = self._random.standard_normal((tokens, 2))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> ClassRun:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._writer.close()
        self._lock.close()

    def _write(self) -> None:
        with LayoutsWriter(self.run.layouts_path) as layouts:
            step, due = 0, time.monotonic()
            while not self._stopped.wait(max(0.0, due - time.monotonic())):
                due += 1 / self._per_second
                step += 1
                self._commit(step)
                if step % self._per_second == 1:
                    # The distance that a map of a default run moves in a second.
                    self._places += 0.004 * self._random.standard_normal(self._places.shape)
                    trust = self._random.integers(200, 256, self._tokens, dtype=np.uint8)
                    xy = self._places.astype(np.float32)
                    layouts.commit(Layout(1, step, time.time(), Method.UMAP, xy, by_token=trust))

    def _commit(self, step: int) -> None:
        random, count = self._random, self._batch
        ids = np.sort(random.choice(self._tokens, count, replace=False)).astype(np.uint32)
        norms = random.random(count).astype(np.float32)
        pulse = Pulse(
            attempt=1,
            step=step,
            time=time.time(),
            vocabulary=self._tokens,
            loss=2.5,
            learning_rate=0.003,
            tokens_per_second=1_000.0,
            step_seconds=0.02,
            observe_seconds=0.001,
            batch_ids=ids,
            batch_counts=random.integers(1, 9, count).astype(np.uint32),
            gradient_ids=ids,
            gradient_norms=norms,
            moved_ids=ids,
            moved_distances=norms,
            layer_norms=norms[:8],
        )
        self._writer.commit(StepRecord(step, encode(pulse), b"digest", None, None, None))


def join(client: ClassClient) -> str:
    """Join a class as one more viewer. Returns the cookie."""
    assert client.join() == 204
    return client.cookie
