"""A trainer that reaches its memory limit ends with a message that says what to do.

Updates far smaller than those of a default run: moves of a millionth are recorded and in snapshots.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.platform import worker_limits
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from tests.support.runs import make_run, small_recipe, small_text

resource = pytest.importorskip("resource")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to a limit on its memory")
def test_a_model_beyond_the_limit_fails_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_limits, "_GRAPHICS_DRIVERS", ())
    monkeypatch.setattr(worker_limits, "_SLACK_BYTES", 50_000_000)
    monkeypatch.setattr(worker_limits, "_HEADROOM", 0)
    # 300 MB of parameters.
    model = {"dim": 512, "layers": 24, "heads": 2, "context": 8}
    run = RunStore(tmp_path).create(small_recipe(model=model), small_text())
    before = resource.getrlimit(resource.RLIMIT_DATA)
    assert train(run) is Phase.FAILED
    status = read_status(run)
    assert status.phase is Phase.FAILED
    assert status.message.startswith("training needs more memory than it may have (")
    assert status.message.endswith(
        "GB): begin a run with a smaller model, a shorter context or smaller batches"
    )
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


STEPS = 12


@pytest.mark.parametrize("kind", ["lazy", "sgd", "adam"])
def test_records_rows_that_move_by_a_millionth(tmp_path: Path, kind: str):
    # Only the first and the last matrix are kept whole; every other is rebuilt from moved rows.
    cadence = {"keyframe_every": 100, "checkpoint_every": 100, "verify_every": 5}
    run = make_run(tmp_path, steps=STEPS, cadence=cadence, optimiser={"kind": kind, "learning_rate": 1e-6})
    assert train(run) is Phase.FINISHED

    device = torch.device("cpu")
    learner = build_learner(run.recipe, len(run.vocabulary), device)
    batches = BatchReader(run.recipe, run.token_ids, device)
    before, largest = learner.model.embedding.weight.detach().numpy().copy(), 0.0
    with MatrixHistory(run) as history:
        pulses = [decode_as(data, Pulse) for _, data in history.steps.pulses(1, STEPS)]
        for step, pulse in enumerate(pulses, start=1):
            _, ids, targets = batches.batch(step)
            train_step(learner, ids, targets)
            now = learner.model.embedding.weight.detach().numpy().copy()
            ways = np.linalg.norm(now.astype(np.float64) - before, axis=1)
            assert pulse.moved_ids.tolist() == np.flatnonzero(ways).tolist() != []
            np.testing.assert_allclose(pulse.moved_distances, ways[pulse.moved_ids], rtol=1e-4)
            if kind != "adam":
                assert history.snapshot(step).vectors.tobytes() == now.tobytes()
            before, largest = now, max(largest, float(ways.max()))
    assert 0 < largest < 1e-4
