"""The changes of a recipe that make a fork: each of them, and those that are refused.

A fork that changes nothing: equal to its parent bit for bit, Adam's state included.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import lamplighter
from lamplighter.contract.fork_parent import Change
from lamplighter.contract.recipe import Recipe
from lamplighter.forks.changes import FIELDS, change_recipe
from lamplighter.forks.creation import ForkRequest, create_fork
from lamplighter.forks.errors import ForkError
from lamplighter.model.checkpoint import list_checkpoints
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train

V = 2_400


def town(**fields: Any) -> Recipe:
    return Recipe.model_validate(fields)


@pytest.mark.parametrize(
    ("field", "value", "change"),
    [
        ("optimiser.learning_rate", 0.01, (0.003, 0.01)),
        ("optimiser.kind", "sgd", ("adam", "sgd")),
        ("optimiser.clip_norm", 2, (1.0, 2)),
        ("optimiser.embedding_factor", 1.0, (5.0, 1.0)),
        ("optimiser.frozen", ["output", "embedding"], ("", "embedding output")),
        ("optimiser.weight_decay", 0.5, (0.0, 0.5)),
        ("sequences", 32, (16, 32)),
        ("passages", 2, (4, 2)),
        ("seed", 7, (0, 7)),
        ("corpus.shuffle_words", True, (False, True)),
        ("corpus.kind", "manuals", ("lamptown", "manuals")),
        ("corpus.kind", "othertown", ("lamptown", "othertown")),
        ("corpus.planted", ["robot android antenna"], ("", "robot android antenna")),
    ],
)
def test_each_change(field: str, value: Any, change: tuple[Any, Any]) -> None:
    recipe, changes = change_recipe(town(optimiser={"kind": "adam"}), {field: value}, V)
    assert [(one.field, one.before, one.after) for one in changes] == [(field, *change)]
    assert recipe.format == 2
    # They can be read again.
    assert [Change.model_validate(one.model_dump()) for one in changes] == list(changes)


def test_every_field_is_tried_above() -> None:
    tried = {mark.args[1][number][0] for mark in [test_each_change.pytestmark[0]] for number in range(13)}  # pyright: ignore[reportFunctionMemberAccess]
    assert tried == set(FIELDS)


def test_other_town_keeps_the_kind_of_the_text() -> None:
    recipe, _ = change_recipe(town(), {"corpus.kind": "othertown"}, V)
    assert (recipe.corpus.kind, recipe.corpus.other_town) == ("lamptown", True)


def test_planted_words_are_added_and_have_room() -> None:
    before = town(corpus={"planted": ["robot android antenna"], "vocabulary_size": V})
    recipe, _ = change_recipe(before, {"corpus.planted": ["zebu okapi horn"]}, V)
    assert recipe.corpus.planted == ("robot android antenna", "zebu okapi horn")
    assert recipe.corpus.vocabulary_size == V + 3


def test_another_text_takes_planted_words_away() -> None:
    before = town(corpus={"planted": ["robot android antenna"]})
    recipe, _ = change_recipe(before, {"corpus.kind": "novels"}, V)
    assert recipe.corpus.planted == ()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"model.dim": 32}, "changes", "cannot be changed in a fork"),
        ({"\x1b[31mred": 1}, "changes", "cannot be changed"),
        ({"steps": 3}, "changes", "cannot be changed"),
        ({"optimiser.learning_rate": 0.003}, "changes.optimiser.learning_rate", "is 0.003 already"),
        ({"optimiser.learning_rate": "fast"}, "changes.optimiser.learning_rate", "number"),
        ({"optimiser.learning_rate": float("nan")}, "changes.optimiser.learning_rate", "finite"),
        ({"optimiser.learning_rate": [1]}, "changes.optimiser.learning_rate", "one value"),
        ({"optimiser.learning_rate": -1}, "changes.optimiser.learning_rate", "greater than 0"),
        ({"optimiser.kind": "lion"}, "changes.optimiser.kind", "lazy"),
        ({"optimiser.frozen": ["attention"]}, "changes.optimiser.frozen", "embedding"),
        ({"optimiser.frozen": 3}, "changes.optimiser.frozen", "list of matrices"),
        (
            {"optimiser.frozen": "embedding", "optimiser.embedding_factor": 2},
            "changes.optimiser.embedding_factor",
            "frozen",
        ),
        ({"sequences": 6}, "changes", "multiple of passages"),
        ({"seed": True}, "changes.seed", "integer"),
        ({"corpus.kind": "lamptown"}, "changes.corpus.kind", "lamptown already"),
        ({"corpus.kind": ["novels"]}, "changes.corpus.kind", "one of"),
        ({"corpus.kind": "othertown", "corpus.shuffle_words": True}, "changes.corpus.kind", "shuffled words"),
        (
            {"corpus.kind": "novels", "corpus.planted": ["robot android antenna"]},
            "changes.corpus.planted",
            "Lamptown",
        ),
        ({"corpus.planted": ["cat android antenna"]}, "changes.corpus.planted", "'cat' already"),
        ({"corpus.planted": ["one two"]}, "changes.corpus.planted", "three words"),
        ({"corpus.planted": "robot android antenna"}, "changes.corpus.planted", "list of rows"),
        ({f"field{number}": number for number in range(17)}, "changes", "at most 16"),
    ],
)
def test_refused(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ForkError, match=words) as refused:
        change_recipe(town(), changes, V)
    assert refused.value.field == field
    assert "\x1b" not in str(refused.value)


def test_tied_weights_have_one_rate_and_one_matrix() -> None:
    tied = town(model={"tied": True}, optimiser={"kind": "adam"})
    with pytest.raises(ForkError, match="one learning rate"):
        change_recipe(tied, {"optimiser.embedding_factor": 2.0}, V)
    with pytest.raises(ForkError, match="one matrix"):
        change_recipe(tied, {"optimiser.frozen": ["output"]}, V)
    with pytest.raises(ForkError, match="cannot be updated lazily"):
        change_recipe(tied, {"optimiser.kind": "lazy"}, V)


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
