"""Resumption from the newest valid checkpoint, and removal of invalid files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lamplighter.model.checkpoint import list_checkpoints
from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.observer import Observer
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.control import RunControl
from lamplighter.training.resume import RunCheckpoints
from lamplighter.training.worker import train
from tests.support.runs import make_run

FIRST_ATTEMPT = Lineage.of_attempts([(1, 0)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return a run of 20 steps with two checkpoints."""
    cadence = {"checkpoint_every": 10, "keyframe_every": 20}
    run = make_run(tmp_path_factory.mktemp("trained"), steps=20, cadence=cadence)
    assert train(run) is Phase.FINISHED
    assert there(run) == [10, 20]
    return run


@pytest.fixture
def run(tmp_path: Path, trained: RunFolder) -> RunFolder:
    return RunFolder(Path(shutil.copytree(trained.path, tmp_path / trained.path.name)))


@pytest.fixture
def checkpoints(run: RunFolder) -> Iterator[RunCheckpoints]:
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        yield RunCheckpoints(run, writer, RunControl(run, writer, reader))


def there(run: RunFolder) -> list[int]:
    return [file.step for file in list_checkpoints(run.checkpoints)]


def restore(checkpoints: RunCheckpoints, run: RunFolder, last: int, lineage: Lineage = FIRST_ATTEMPT) -> int:
    def build_model() -> tuple[Learner, Observer]:
        learner = build_learner(run.recipe, len(run.vocabulary), torch.device("cpu"))
        return learner, Observer(learner, verify_every=10)

    return checkpoints.restore(lineage, last, build_model(), build_model)


def test_resumes_from_the_checkpoint_of_the_last_committed_step(checkpoints: RunCheckpoints, run: RunFolder):
    """A stopped run has a checkpoint of its last step. If it were deleted, steps would be recomputed."""
    assert restore(checkpoints, run, last=20) == 20
    assert there(run) == [10, 20]


def test_removes_a_checkpoint_of_a_lost_step(checkpoints: RunCheckpoints, run: RunFolder):
    assert restore(checkpoints, run, last=19) == 10
    assert there(run) == [10]


def test_removes_superseded_checkpoints_but_keeps_the_start_of_an_attempt(
    checkpoints: RunCheckpoints, run: RunFolder
):
    assert restore(checkpoints, run, last=30, lineage=Lineage.of_attempts([(2, 21), (1, 0)])) == 20
    assert restore(checkpoints, run, last=30, lineage=Lineage.of_attempts([(2, 15), (1, 0)])) == 10
    assert there(run) == [10]
    assert restore(checkpoints, run, last=30, lineage=Lineage.of_attempts([(2, 1), (1, 0)])) == 0
    assert there(run) == []
