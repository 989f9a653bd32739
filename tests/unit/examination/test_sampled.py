"""A run with a sampled softmax: any of its steps is computed again, and its board claims nothing about a step's arithmetic."""

from __future__ import annotations

import pytest

from lamplighter.claims.board import CLAIMS, list_board_questions, make_board
from lamplighter.claims.claim import ClaimState
from lamplighter.claims.english import reason_text
from lamplighter.claims.gathering import read_moment
from lamplighter.contract.questions import WHOLE_SOFTMAX, parse_question
from lamplighter.examination.replayer import Replayer
from lamplighter.processes.asked_question import ExaminationRefusedError, check_question
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.support.evidences import gather
from tests.support.runs import make_run


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
