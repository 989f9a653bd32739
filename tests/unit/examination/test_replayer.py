"""Steps recomputed from the nearest state, with the bits of the record.

A run with a sampled softmax: any of its steps is computed again, and its board claims nothing about a step's arithmetic.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lamplighter.claims.board import CLAIMS, list_board_questions, make_board
from lamplighter.claims.claim import ClaimState
from lamplighter.claims.english import reason_text
from lamplighter.claims.gathering import read_moment
from lamplighter.contract.questions import WHOLE_SOFTMAX, parse_question
from lamplighter.examination.examined_model import CancelledError, Replayer
from lamplighter.model.checkpoint import list_checkpoints
from lamplighter.model.step import train_step
from lamplighter.processes.asked_question import ExaminationRefusedError, check_question
from lamplighter.runfolder.lineage import step_key
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.sqlite.database import open_writer
from lamplighter.runfolder.tables import steps
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train
from tests.support.evidences import gather
from tests.support.runs import make_run

STEPS = 30


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Train a run whose learning rate changes, and keep one waypoint, at step 20."""
    cadence = {"keyframe_every": 10, "checkpoint_every": 10, "verify_every": 5}
    run = make_run(tmp_path_factory.mktemp("runs"), steps=STEPS, cadence=cadence)

    def change_the_rate(progress: object) -> None:
        if getattr(progress, "step", 0) == 14:
            RequestsWriter(run.path, "test").add("learning_rate", {"value": 0.0123})

    train(run, on_progress=change_the_rate)
    for file in list_checkpoints(run.waypoints):
        if file.step != 20:
            file.path.unlink()
    return run


def silent(share: float, activity: str) -> None:
    assert 0 <= share <= 1
    assert activity


def recorded(run: RunFolder, step: int) -> np.ndarray:
    with MatrixHistory(run) as history:
        return history.snapshot(step).vectors


def embedding(replayer: Replayer, step: int) -> np.ndarray:
    return replayer.model_at(step, silent).learner.model.embedding.weight.detach().numpy()


def test_any_step_matches_the_record_from_the_nearest_start(trained: RunFolder):
    with StepsReader(trained.steps_path) as reader:
        assert {applied.kind for applied in reader.applied()} == {"learning_rate"}
    replayer = Replayer(trained)
    for step, origin, computed in (
        (7, 0, 7),
        (9, 0, 9),
        (23, 20, 3),
        (28, 20, 8),
        (21, 20, 1),
        (20, 20, 0),
        (3, 0, 3),
    ):
        np.testing.assert_array_equal(embedding(replayer, step), recorded(trained, step))
        equal = True if computed else None
        found = {"from": origin, "steps": computed, "equal": equal, "difference": 0.0 if computed else None}
        assert replayer.describe_replay().model_dump(by_alias=True) == found, step


def test_the_loaded_model_is_continued(trained: RunFolder):
    replayer, told = Replayer(trained), []
    replayer.model_at(12, lambda _, activity: told.append(activity))
    assert told[-1] == "recomputing step 12"
    assert len(told) == 12
    replayer.model_at(14, lambda _, activity: told.append(activity))
    assert told[12:] == ["recomputing step 13", "recomputing step 14"]
    assert replayer.describe_replay().steps == 14
    replayer.model_at(14, lambda _, activity: told.append(activity))
    assert len(told) == 14


def test_the_next_step_matches_the_record_under_the_given_rate(trained: RunFolder):
    model = Replayer(trained).model_at(24, silent)
    copied = model.copy()
    copied.set_learning_rate(model.learning_rate)
    _, ids, targets = model.batches.batch(25)
    train_step(copied, ids, targets)
    np.testing.assert_array_equal(copied.model.embedding.weight.detach().numpy(), recorded(trained, 25))
    np.testing.assert_array_equal(
        model.learner.model.embedding.weight.detach().numpy(), recorded(trained, 24)
    )


def test_another_step_of_the_same_question_has_its_own_model(trained: RunFolder):
    replayer = Replayer(trained)
    model = replayer.model_at(12, silent)
    for step in (13, 12, 4, 29):
        other = model.learner_at(step)
        assert other is not model.learner
        np.testing.assert_array_equal(other.model.embedding.weight.detach().numpy(), recorded(trained, step))
    np.testing.assert_array_equal(
        model.learner.model.embedding.weight.detach().numpy(), recorded(trained, 12)
    )
    np.testing.assert_array_equal(embedding(replayer, 13), recorded(trained, 13))


def test_after_a_cancellation_it_continues_from_there(trained: RunFolder):
    replayer = Replayer(trained)

    def cancel(_: float, activity: str) -> None:
        if "step 6" in activity:
            raise CancelledError

    with pytest.raises(CancelledError):
        replayer.model_at(9, cancel)
    told: list[str] = []
    replayer.model_at(9, lambda _, activity: told.append(activity))
    assert told == [f"recomputing step {step}" for step in (6, 7, 8, 9)]
    np.testing.assert_array_equal(embedding(replayer, 9), recorded(trained, 9))


def test_different_numbers_are_reported_with_their_difference(trained: RunFolder, tmp_path: Path):
    run = RunFolder(Path(shutil.copytree(trained.path, tmp_path / trained.id)))
    connection = open_writer(run.steps_path, steps.SCHEMA)
    connection.execute("UPDATE pulses SET digest=x'00' WHERE id=?", (step_key(1, 22),))
    connection.close()
    replayer = Replayer(run)
    replayer.model_at(21, silent)
    assert replayer.describe_replay().equal is True
    replayer.model_at(25, silent)
    assert replayer.describe_replay().model_dump(by_alias=True) == {
        "from": 20,
        "steps": 5,
        "equal": False,
        "difference": 0.0,
    }
    with torch.no_grad():
        replayer.model_at(25, silent).learner.model.embedding.weight[3, 0] += 0.5
    assert replayer.describe_replay().difference == pytest.approx(0.5, rel=1e-6)


def test_damaged_and_superseded_waypoints_are_skipped(trained: RunFolder, tmp_path: Path):
    run = RunFolder(Path(shutil.copytree(trained.path, tmp_path / trained.id)))
    for file in [*list_checkpoints(run.waypoints), *list_checkpoints(run.checkpoints)]:
        if file.step == 20:
            file.path.write_bytes(file.path.read_bytes()[:300])
    shutil.copy(list_checkpoints(run.checkpoints)[-1].path, run.waypoints / "0000000022-0009.safetensors")
    replayer = Replayer(run)
    np.testing.assert_array_equal(embedding(replayer, 22), recorded(run, 22))
    assert replayer.describe_replay().origin < 20


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    model = {"dim": 16, "layers": 1, "heads": 2, "context": 8, "negatives": 20}
    run = make_run(tmp_path_factory.mktemp("runs"), steps=30, model=model)
    train(run)
    return run


def test_a_step_is_computed_again_with_the_bits_of_the_record(sampled: RunFolder) -> None:
    for step in (4, 28):
        replayer = Replayer(sampled)
        replayer.model_at(step, lambda share, activity: None)
        found = replayer.describe_replay()
        assert (found.equal, found.difference) == (True, 0.0)
        assert found.steps


def test_the_board_asks_nothing_that_has_no_answer_and_says_why(sampled: RunFolder) -> None:
    evidence = gather(sampled)
    asked = {one.question.kind for one in list_board_questions(evidence, read_moment(sampled).lineage)}
    assert "substitution" in asked
    assert asked.isdisjoint(WHOLE_SOFTMAX)
    rows = {row.number: row for row in make_board(evidence)}
    apart = [claim.number for claim in CLAIMS if claim.kinds and WHOLE_SOFTMAX.issuperset(claim.kinds)]
    assert len(apart) > 5
    for number in apart:
        row = rows[number]
        if row.state == ClaimState.UNMEASURED:
            assert "sampled softmax" in reason_text(row)
        assert row.break_by.question is None or row.break_by.question["kind"] not in WHOLE_SOFTMAX


@pytest.mark.parametrize("kind", sorted(WHOLE_SOFTMAX))
def test_a_step_is_not_taken_apart(sampled: RunFolder, kind: str) -> None:
    with pytest.raises(ExaminationRefusedError, match="sampled softmax"):
        check_question(sampled, parse_question({"kind": kind, "step": 1}))
