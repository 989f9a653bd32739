"""A fork that changes nothing: equal to its parent bit for bit, Adam's state included."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import lamplighter
from lamplighter.forks.creation import ForkRequest, create_fork
from lamplighter.model.checkpoint import list_checkpoints
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train

AT = 47
"""A step without a kept state: the fork begins with a replay of 17 steps."""
STEPS = 200


def copy_of(parent: RunFolder, folder: Path) -> RunFolder:
    """Return a copy of the parent in a folder of runs of its own."""
    return RunFolder(Path(shutil.copytree(parent.path, folder / parent.id)))


def state_of(run: RunFolder, step: int) -> dict[str, torch.Tensor]:
    """Return the state of the model and its optimisers after a step, without the counts of rows."""
    folders = run.checkpoints, run.waypoints
    path = next(file.path for folder in folders for file in list_checkpoints(folder) if file.step == step)
    return {name: tensor for name, tensor in load_file(path).items() if not name.startswith("observer.")}


@pytest.fixture(scope="module")
def control(parent: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Make the control of a copy of the parent, which is removed before the control is trained."""
    copied = copy_of(parent, tmp_path_factory.mktemp("control"))
    fork = create_fork(RunStore(copied.path.parent), copied, ForkRequest(AT, steps=STEPS))
    shutil.rmtree(copied.path)
    assert train(fork) is Phase.FINISHED
    return fork


def test_control_equals_its_parent_bit_for_bit(parent: RunFolder, control: RunFolder) -> None:
    theirs, ours = lamplighter.open(parent.path), lamplighter.open(control.path)
    for step in range(STEPS + 1):
        assert np.array_equal(ours.snapshot(step), theirs.snapshot(AT + step)), step
    pairs = zip(theirs.steps(AT + 1, AT + STEPS), ours.steps(1, STEPS), strict=True)
    for one, other in pairs:
        assert (one.loss, one.learning_rate) == (other.loss, other.learning_rate)
        assert np.array_equal(one.gradient_norms, other.gradient_norms)
        assert np.array_equal(one.moved_ids, other.moved_ids)


def test_control_has_adams_state_bit_for_bit(parent: RunFolder, tmp_path: Path) -> None:
    # The parent keeps the state of its last step, 260, so compare there.
    fork = create_fork(RunStore(tmp_path), parent, ForkRequest(60, steps=STEPS))
    assert train(fork) is Phase.FINISHED
    theirs, ours = state_of(parent, 260), state_of(fork, STEPS)
    assert theirs.keys() == ours.keys()
    assert {name for name in theirs if name.endswith("exp_avg_sq")}
    for name, tensor in theirs.items():
        assert torch.equal(tensor, ours[name]), name


def test_counts_begin_at_the_fork(control: RunFolder) -> None:
    tensors = load_file(control.waypoints / "0000000000-0001.safetensors")
    assert int(tensors["observer.touches"].sum()) == 0


def test_start_is_removed_and_step_0_kept(control: RunFolder) -> None:
    assert not control.start_path.exists()
    assert list_checkpoints(control.waypoints)[0].step == 0
    with StepsReader(control.steps_path) as reader:
        assert [event.kind for event in reader.events()] == ["started", "finished"]


def test_recipe_names_the_parent(parent: RunFolder, control: RunFolder) -> None:
    origin = control.recipe.parent
    assert origin is not None
    assert control.recipe.format == 2
    assert (origin.run, origin.step, origin.batch_offset, origin.changes) == (parent.id, AT, AT, ())
    assert origin.private_text  # a text of the user's own


def test_fork_of_a_fork_goes_on_with_the_batches(
    parent: RunFolder, control: RunFolder, tmp_path: Path
) -> None:
    fork = create_fork(RunStore(tmp_path), control, ForkRequest(33, steps=5))
    assert train(fork) is Phase.FINISHED
    assert fork.recipe.batch_offset == AT + 33
    theirs, ours = lamplighter.open(parent.path), lamplighter.open(fork.path)
    assert np.array_equal(ours.snapshot(5), theirs.snapshot(AT + 33 + 5))
