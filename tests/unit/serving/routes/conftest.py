from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamplighter.runfolder.run_store import RunStore
from tests.unit.serving.folders import FakeTrainer, make_run
from tests.unit.serving.routes.recorded_steps import STEPS


@pytest.fixture
def trainer(tmp_path: Path) -> FakeTrainer:
    """Record a run of `STEPS` steps, which goes on."""
    return FakeTrainer(make_run(RunStore(tmp_path))).begin().train(STEPS)


@pytest.fixture
def whole(trainer: FakeTrainer) -> np.ndarray:
    """Return every matrix, (S, V, D)."""
    return np.stack([trainer.matrices[step] for step in range(STEPS + 1)])
