from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.wire.layout_frames import Method
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts
from tests.unit.serving.routes.recorded_steps import STEPS


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[FakeTrainer]:
    """Record a run of `STEPS` steps, which goes on."""
    made = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(STEPS)
    yield made
    made.crash()


@pytest.fixture
def whole(trainer: FakeTrainer) -> np.ndarray:
    """Return every matrix, (S, V, D)."""
    return np.stack([trainer.matrices[step] for step in range(STEPS + 1)])


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Record a run that is over, with layouts and measures, some of an attempt that does not count."""
    made = finished_run(tmp_path)
    write_layouts(made, layout(1, 0, Method.LINEAR), layout(1, 10), layout(1, 30), layout(7, 20))
    with MeasuresWriter(made.measures_path) as writer:
        writer.commit(1, 10, {"purity": 0.5, "rank": float("nan")})
        writer.commit(1, 20, {"purity": 0.75})
        # These belong to an attempt that does not count, so no answer shows them.
        writer.commit(3, 20, {"purity": 0.1, "coverage": 1.0})
        writer.commit(3, 34, {"purity": 0.1})
    return made
