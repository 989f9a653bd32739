"""The microscope where a run cannot answer, or an answer must stay small."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from lamplighter.contract.questions import MicroscopeQuestion, QuestionError
from lamplighter.examination.examined_model import CancelledError
from lamplighter.examination.kinds.microscope import examine
from lamplighter.examination.kinds.microscope.predictions import MAX_POSITIONS
from lamplighter.model.learner import Learner
from lamplighter.training.worker import train
from tests.support.runs import make_run
from tests.unit.examination.retaken import (
    STEPS,
    ask,
    hear_nothing,
    look,
    model_at,
)


def test_a_model_that_differs_from_the_recorded_one_is_detected(trained: Any) -> None:
    model = model_at(trained("lazy"), 3)
    with torch.no_grad():
        model.learner.model.embedding.weight.add_(1e-4)
    answer = look(model, step=4)
    assert answer["check"]["equal"] is False
    assert 0 < abs(answer["row"]["difference"]) < 1e-2


def test_a_step_after_the_last_has_no_record(trained: Any) -> None:
    answer = ask(trained("lazy"), STEPS + 1)
    assert answer["check"]["equal"] is answer["check"]["recorded"] is None
    assert answer["row"]["stored"] is answer["row"]["difference"] is None
    assert answer["row"]["model_difference"] == 0


def test_the_answer_is_small_json_and_the_model_stays_unchanged(trained: Any) -> None:
    model = model_at(trained("lazy"), 3)
    states = [json.dumps(_state(model.learner))]
    answer = look(model, step=4)
    states.append(json.dumps(_state(model.learner)))
    assert states[0] == states[1]
    text = json.dumps(answer, allow_nan=False)
    assert len(text) < 100_000
    assert look(model, step=4) == answer


def _state(learner: Learner) -> Any:
    parameters = [p.tolist() for p in learner.model.parameters()]
    state = learner.optimisers[0].state[learner.model.embedding.weight]
    return [parameters, state["exp_avg"].tolist(), int(state["step"])]


def test_a_long_sequence_is_listed_from_its_beginning(tmp_path: Path) -> None:
    shape = {"dim": 4, "layers": 1, "heads": 1, "context": MAX_POSITIONS + 40}
    run = make_run(tmp_path, steps=1, model=shape, sequences=1, passages=1)
    train(run)
    text = ask(run, 1)["text"]
    assert text["positions"] == MAX_POSITIONS + 40
    listed = ("ids", "next_ids", "p_before", "p_after", "rank_before", "rank_after", "candidates")
    assert {len(text[name]) for name in listed} == {MAX_POSITIONS}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"token": 199_999}, "token 199999: the vocabulary of this run has tokens 0 to "),
        ({"coordinate": 10}, "coordinate 10: a row of this run has coordinates 0 to 9"),
        ({"sequence": 4}, "sequence 4: a batch of this run has sequences 0 to 3"),
    ],
)
def test_an_unknown_sequence_row_or_coordinate_is_refused(
    trained: Any, fields: dict[str, int], message: str
) -> None:
    with pytest.raises(QuestionError, match=message):
        ask(trained("lazy"), 3, **fields)


def test_a_step_that_is_not_finite_is_refused(trained: Any) -> None:
    model = model_at(trained("lazy"), 3)
    with torch.no_grad():
        model.learner.model.norm.weight.fill_(math.inf)
    with pytest.raises(QuestionError, match="step 4 does not come out in finite numbers"):
        look(model, step=4)


def test_a_model_at_another_step_is_a_callers_error(trained: Any) -> None:
    with pytest.raises(ValueError, match="the model is at step 2, the question is about step 4"):
        examine(model_at(trained("lazy"), 2), MicroscopeQuestion(step=4), hear_nothing)


def test_it_ends_when_cancelled(trained: Any) -> None:
    heard: list[float] = []

    def cancel(share: float, _activity: str) -> None:
        heard.append(share)
        if share > 0:
            raise CancelledError

    with pytest.raises(CancelledError):
        examine(model_at(trained("lazy"), 3), MicroscopeQuestion(step=4), cancel)
    assert len(heard) == 2
