"""Trained forks beside their parent: a control never differs, another rate does from the first step on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.differences.answer import DifferenceAnswer
from lamplighter.differences.difference import compare_folders
from lamplighter.forks.creation import ForkRequest, create_fork
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train

AT, STEPS = 60, 30


@pytest.fixture(scope="module")
def copied(parent: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return RunFolder(Path(shutil.copytree(parent.path, tmp_path_factory.mktemp("forks") / parent.id)))


def fork(parent: RunFolder, at: int = AT, steps: int = STEPS, **changes: Any) -> RunFolder:
    named = {name.replace("__", "."): value for name, value in changes.items()}
    made = create_fork(RunStore(parent.path.parent), parent, ForkRequest(at, named, steps=steps))
    train(made)
    return made


def difference(run: RunFolder, other: RunFolder) -> DifferenceAnswer:
    return compare_folders(run, other).to_answer()


def first_step(told: DifferenceAnswer) -> int | None:
    assert told.first_difference is not None
    assert told.first_difference.whole
    return told.first_difference.step


def test_only_what_was_changed_differs(copied: RunFolder) -> None:
    control, faster = fork(copied), fork(copied, optimiser__learning_rate=0.02)
    told = difference(control, copied)
    assert (told.relation.kind, told.step, told.other_step) == ("fork", STEPS, AT + STEPS)
    assert (first_step(told), told.words.equal, told.items) == (None, told.words.shared, [])
    assert told.losses.recent.difference == 0
    other = difference(faster, copied)
    assert first_step(other) == 1
    assert other.words.equal < told.words.equal
    assert other.spread.aligned is not None
    assert other.spread.aligned[-1] > 0
    siblings = difference(faster, control)
    assert (siblings.relation.kind, siblings.relation.ancestor, first_step(siblings)) == (
        "siblings",
        copied.id,
        1,
    )
    np.testing.assert_allclose(siblings.spread.raw or [], other.spread.raw or [1])


def test_a_frozen_output_shows_in_the_step_after(copied: RunFolder) -> None:
    # The first step is told by what it read and moved in the embedding; the output shows in the next loss.
    assert first_step(difference(fork(copied, optimiser__frozen=["output"]), copied)) == 2


def test_a_fork_of_the_last_step_differs_from_the_last_state(copied: RunFolder) -> None:
    last, steps = copied.recipe.steps, 25
    run = fork(copied, last, steps, optimiser__learning_rate=0.02)
    told = difference(run, copied)
    assert (told.step, told.other_step, told.moved, told.exact) == (steps, last, "other_held", False)
    assert told.words.equal < told.words.shared
    assert told.items
    # The fork's own change since step 0 is the whole of it.
    earlier = next(null for null in told.nulls if null.kind == "earlier")
    assert (earlier.step, told.relation.shared) == (0, 0)
    assert told.spread.raw is not None
    assert earlier.raw == pytest.approx(told.spread.raw[3])
    # Either says its newest line, and these are of two points of the clock.
    assert told.said.run is not None
    assert told.said.other is not None
    assert (told.said.run.step, told.said.other.step) == (20, 250)
    back = difference(copied, run)
    assert (back.step, back.other_step, back.moved) == (last, steps, "run_held")
    assert back.words.equal == told.words.equal
