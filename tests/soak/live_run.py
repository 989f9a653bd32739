"""A run that goes on slowly, without a trainer's process."""

from __future__ import annotations

import threading
from pathlib import Path

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from tests.support.folders import FakeTrainer, layout, make_run

_STEPS_PER_SECOND = 5.0


class LiveRun:
    """A run that goes on in a thread, a few steps a second and a layout every two."""

    def __init__(self, runs: Path) -> None:
        self.run = make_run(RunStore(runs), steps=1_000_000)
        self._trainer = FakeTrainer(self.run).begin()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._train, daemon=True)

    @property
    def step(self) -> int:
        """Return the newest step."""
        return self._trainer.step

    def __enter__(self) -> LiveRun:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._trainer.end()

    def _train(self) -> None:
        with LayoutsWriter(self.run.layouts_path) as layouts:
            while not self._end.wait(1 / _STEPS_PER_SECOND):
                self._trainer.train_one()
                # Only what the steps need is kept, or the memory of this process would grow instead.
                self._trainer.matrices.pop(self._trainer.step - 1, None)
                if self._trainer.step % int(2 * _STEPS_PER_SECOND) == 0:
                    layouts.commit(layout(1, self._trainer.step))
