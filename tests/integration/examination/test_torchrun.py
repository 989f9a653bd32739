"""One step of the default recipe under torchrun, with PyTorch's own data parallelism: it sends the bytes that
the examination *devices* counts, and arrives at the same gradients.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lamplighter.contract.questions import DevicesQuestion
from lamplighter.contract.recipe import Recipe
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.devices import examination
from lamplighter.examination.kinds.devices.shared_step import PROCESSES, compute_gradients
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner, build_learner
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train
from tests.support.village import NOT_REPLAYED, ignore_progress

pytestmark = pytest.mark.tour
STEP = 1


def test_torchrun_sends_the_bytes_of_the_formula(tmp_path: Path) -> None:
    run = RunStore(tmp_path / "runs").create(Recipe(steps=STEP, device="cpu"))
    assert train(run) == "finished"
    cpu = torch.device("cpu")

    def learner_at(_: int) -> Learner:
        return build_learner(run.recipe, len(run.vocabulary), cpu)

    learner = learner_at(0)
    batches = BatchReader(run.recipe, run.token_ids, cpu)
    model = ExaminedModel(
        run=run,
        learner=learner,
        batches=batches,
        step=0,
        learning_rate=run.recipe.optimiser.learning_rate,
        learner_at=learner_at,
        replayed=NOT_REPLAYED,
    )
    answer = examination.examine(model, DevicesQuestion(step=STEP), ignore_progress)

    weights = tmp_path / "weights"
    save_file({name: value.contiguous() for name, value in learner.model.state_dict().items()}, weights)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={PROCESSES}"]
    script = Path(__file__).with_name("torchrun_step.py")
    done = subprocess.run(
        [*command, str(script), str(run.path), str(STEP), str(weights), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    sent = [json.loads((tmp_path / f"sent-{rank}.json").read_text()) for rank in range(PROCESSES)]
    assert sent == [{"bytes": answer.formula.dense_bytes, "processes": PROCESSES}] * PROCESSES
    assert answer.measured.dense_bytes == sent[0]["bytes"]

    _, ids, targets = batches.batch(STEP)
    alone = compute_gradients(learner.model, ids, targets, 1.0)
    shared = load_file(tmp_path / "gradients")
    assert shared.keys() == alone.keys()
    for name, gradient in alone.items():
        torch.testing.assert_close(shared[name], gradient, rtol=1e-3, atol=1e-6)
