"""The microscope on tiny real runs: every number against the record, or against the tensors computed another
way.

The microscope where a run cannot answer, or an answer must stay small.
"""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lamplighter.contract.questions import MicroscopeQuestion, QuestionError
from lamplighter.examination.examined_model import CancelledError
from lamplighter.examination.kinds.microscope import examine
from lamplighter.examination.kinds.microscope.one_step import DRAWS
from lamplighter.examination.kinds.microscope.predictions import CANDIDATES, MAX_POSITIONS
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.support.runs import make_run
from tests.unit.examination.retaken import (
    CPU,
    RECIPES,
    SHAPE,
    STEPS,
    _learner_at,
    ask,
    dense,
    learner_at,
    look,
    model_at,
)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("step", [1, 2, STEPS])
def test_the_step_matches_the_record_and_the_row_to_the_last_bit(trained: Any, name: str, step: int) -> None:
    answer = ask(trained(name), step, coordinate=SHAPE["dim"] - 1, sequence=1)
    assert answer["check"]["equal"] is True
    row = answer["row"]
    with MatrixHistory(trained(name)) as history:
        before, after = (history.snapshot(at).vectors for at in (step - 1, step))
    assert row["old"] == before[row["token"], -1]
    assert row["stored"] == after[row["token"], -1] == row["new"]
    assert row["difference"] == row["model_difference"] == 0
    assert row["row"]["numbers_equal"] == row["row"]["numbers"] == SHAPE["dim"]
    # The default row is the one that moved farthest of the words in the text shown.
    read, distances = answer["text"]["ids"], np.linalg.norm(after - before, axis=1)
    assert row["token"] in read
    assert distances[row["token"]] == pytest.approx(distances[read].max())
    assert row["row"]["distance"] == pytest.approx(distances[read].max(), rel=1e-5)
    assert row["old"] != row["new"]
    assert row["occurrences"] > 0


@pytest.mark.parametrize("name", RECIPES)
def test_every_row_of_the_batch_and_one_outside_it_match_the_record(trained: Any, name: str) -> None:
    run, step = trained(name), 7
    model = model_at(run, step - 1)
    batch = np.unique(model.batches.batch(step)[0])
    # Read by the previous step, and so with momentum, but not by this one.
    before = np.unique(model.batches.batch(step - 1)[0])
    asleep = int(np.setdiff1d(before, batch)[0])
    rows = {
        token: look(model, step=step, token=token, coordinate=3)["row"]
        for token in (*batch[:6].tolist(), asleep)
    }
    for token, row in rows.items():
        assert (row["token"], row["difference"]) == (token, 0)
        assert row["row"]["numbers_equal"] == SHAPE["dim"]
        assert row["updated"] is (token != asleep or name in ("adam", "tied"))
        assert (row["occurrences"] > 0) is (token != asleep)
    if name in ("lazy", "sgd"):
        assert (rows[asleep]["gradient"], rows[asleep]["change"]) == (0, 0)
    else:
        # Momentum moves it on, or the softmax gives it a gradient.
        assert rows[asleep]["change"] != 0


@pytest.mark.parametrize("name", ["lazy", "adam", "tied"])
def test_averages_are_the_optimisers_and_the_formula_is_adams(trained: Any, name: str) -> None:
    run, step = trained(name), 5
    row = ask(run, step, coordinate=2)["row"]
    for when, at in (("before", step - 1), ("after", step)):
        learner = learner_at(run, at)
        state = learner.optimisers[0].state[learner.model.embedding.weight]
        assert row[f"m_{when}"] == float(state["exp_avg"][row["token"], 2])
        assert row[f"v_{when}"] == float(state["exp_avg_sq"][row["token"], 2])
        assert int(state["step"]) == row["updates"] - (step - at)
    # The page's arithmetic, in 64 bits, from the answer's numbers alone.
    step_size, denominator = row["step_size"], row["denominator"]
    assert row["new"] == pytest.approx(row["old"] - step_size * row["m_after"] / denominator, rel=1e-5)
    uncorrected = row["learning_rate"] * row["m_after"] / (math.sqrt(row["v_after"]) + row["epsilon"])
    assert uncorrected == pytest.approx(
        row["uncorrected_times"] * step_size * row["m_after"] / denominator, rel=1e-3
    )
    spread = math.sqrt(row["v_after"])
    if name == "lazy":
        step_size /= math.sqrt(row["bias_correction2"])
    else:
        spread /= math.sqrt(row["bias_correction2"])
    assert step_size == pytest.approx(row["learning_rate"] / row["bias_correction1"])
    assert denominator == pytest.approx(spread + row["epsilon"], rel=1e-5)
    assert row["m_after"] == pytest.approx(
        row["beta1"] * row["m_before"] + (1 - row["beta1"]) * row["gradient"], rel=1e-4
    )
    factor = 1 if name == "tied" else run.recipe.optimiser.embedding_factor
    assert row["learning_rate"] == pytest.approx(run.recipe.optimiser.learning_rate * factor)


def test_weight_decay_shrinks_a_number_before_it_moves(trained: Any, tmp_path: Path) -> None:
    run = make_run(
        tmp_path,
        steps=3,
        model=SHAPE,
        cadence={"keyframe_every": 1},
        optimiser={"kind": "adam", "weight_decay": 0.5},
    )
    train(run)
    row = ask(run, 3, coordinate=2)["row"]
    assert row["difference"] == 0
    assert row["shrunk"] == pytest.approx(row["old"] * (1 - 0.5 * row["learning_rate"]), rel=1e-6)
    assert row["shrunk"] != row["old"]
    change = row["step_size"] * row["m_after"] / row["denominator"]
    assert row["new"] == pytest.approx(row["shrunk"] - change, rel=1e-5)
    assert ask(trained("adam"), 3, coordinate=2)["row"]["shrunk"] is None


def test_a_step_of_sgd_has_no_averages(trained: Any) -> None:
    row = ask(trained("sgd"), 4)["row"]
    assert row["m_after"] is row["v_before"] is row["bias_correction1"] is row["uncorrected_times"] is None
    assert row["new"] == pytest.approx(row["old"] - row["learning_rate"] * row["gradient"], rel=1e-5)


@pytest.mark.parametrize("name", RECIPES)
def test_moved_parameters_and_the_angle_match_one_vector_of_all_numbers(trained: Any, name: str) -> None:
    run, step = trained(name), 6
    before, after = _learner_at(run, step - 1), _learner_at(run, step)  # a copy has no gradients
    pairs = list(zip(before.model.parameters(), after.model.parameters(), strict=True))
    update = torch.cat([(new - old).detach().flatten() for old, new in pairs]).double()
    gradient = torch.cat([dense(new.grad).flatten() for _, new in pairs]).double()
    whole = ask(run, step)["whole"]
    assert whole["parameters"] == len(update)
    assert whole["moved"] == int((update != 0).sum())
    assert whole["share"] == whole["moved"] / whole["parameters"]
    cosine = float(torch.dot(update, -gradient) / update.norm() / gradient.norm())
    assert whole["cosine"] == pytest.approx(cosine, rel=1e-5)
    assert whole["degrees"] == pytest.approx(math.degrees(math.acos(cosine)), rel=1e-5)
    assert sum(layer["moved"] for layer in whole["layers"]) == whole["moved"]
    assert [layer["layer"] for layer in whole["layers"]] == list(after.model.layers())
    moved = (after.model.embedding.weight != before.model.embedding.weight).any(dim=1)
    assert whole["rows_moved"] == int(moved.sum())
    if name == "sgd":
        # Two rates: the embedding's is five times the others', so even here the update is not parallel to the
        # gradient.
        assert whole["layers"][-1]["degrees"] == pytest.approx(0, abs=0.2)
        assert whole["degrees"] > 1


def test_the_text_and_its_probabilities_match_the_model_before_and_after(trained: Any) -> None:
    run, step, sequence = trained("lazy"), 8, 2
    text = ask(run, step, sequence=sequence)["text"]
    _, ids, targets = BatchReader(run.recipe, run.token_ids, CPU).batch(step)
    assert text["ids"] == ids[sequence].tolist()
    assert text["next_ids"] == targets[sequence].tolist()
    every: dict[str, torch.Tensor] = {}
    for when, at in (("before", step - 1), ("after", step)):
        all_logits = learner_at(run, at).model.logits(ids).detach()
        probabilities = torch.softmax(all_logits.double(), dim=2)
        every[when] = probabilities.gather(2, targets[:, :, None])[:, :, 0]
        assert text[f"p_{when}"] == pytest.approx(every[when][sequence].tolist(), rel=1e-4)
        order = probabilities[sequence].argsort(dim=1, descending=True)
        ranks = (order == targets[sequence][:, None]).nonzero()[:, 1] + 1
        assert text[f"rank_{when}"] == ranks.tolist()
        loss = float(F.cross_entropy(all_logits.flatten(0, 1), targets.flatten()))
        assert text["losses"]["same"][when] == pytest.approx(loss, rel=1e-5)
        if when == "before":
            best = [[token for token, _ in candidates] for candidates in text["candidates"]]
            assert best == order[:, :CANDIDATES].tolist()
            assert text["candidates"][0][0][1] == pytest.approx(
                float(probabilities[sequence, 0].max()), rel=1e-4
            )
    assert text["share_risen"] == float((every["after"] > every["before"]).double().mean())
    assert text["losses"]["same"]["after"] < text["losses"]["same"]["before"]


def test_other_text_is_the_next_batch_and_unread_text(trained: Any) -> None:
    run, step = trained("lazy"), 8
    losses = ask(run, step)["text"]["losses"]
    _, ids, targets = BatchReader(run.recipe, run.token_ids, CPU).batch(step + 1)
    half = run.recipe.sequences // 2
    ids, targets = ids[:half], targets[:half]
    for when, at in (("before", step - 1), ("after", step)):
        assert losses["other"][when] == pytest.approx(learner_at(run, at).model(ids, targets).item())
    assert run.held_out_ids is None
    assert losses["held_out"] is None
    # The corpus itself replaces the unread text: its loss is measured on as many predictions as half a batch
    # has.
    run.held_out_path.write_bytes((run.path / "corpus.npy").read_bytes())
    try:
        held_out = ask(RunFolder(run.path), step)["text"]["losses"]["held_out"]
    finally:
        run.held_out_path.unlink()
    assert held_out["predictions"] == losses["other"]["predictions"] == half * run.recipe.model.context
    assert held_out["before"] != held_out["after"]


def test_right_guesses_have_the_share_that_autograd_gives(trained: Any) -> None:
    run, step = trained("lazy"), STEPS
    _, ids, targets = BatchReader(run.recipe, run.token_ids, CPU).batch(step)
    logits = learner_at(run, step - 1).model.logits(ids).detach().flatten(0, 1).requires_grad_()
    F.cross_entropy(logits, targets.flatten()).backward()
    lengths = dense(logits.grad).norm(dim=1)
    right = logits.argmax(dim=1) == targets.flatten()
    guesses = ask(run, step)["whole"]["right_guesses"]
    assert guesses["positions"] == int(right.sum()) > 0
    assert guesses["gradient_share"] == pytest.approx(float(lengths[right].sum() / lengths.sum()), rel=1e-4)


def test_the_learning_rate_is_that_of_the_step(trained: Any) -> None:
    model = model_at(trained("lazy"), 3)
    other = dataclasses.replace(model, learning_rate=model.learning_rate / 2)
    rows = [look(m, step=4, token=5, coordinate=1)["row"] for m in (model, other)]
    assert rows[0]["learning_rate"] == 2 * rows[1]["learning_rate"]
    assert rows[1]["difference"] != 0 or not rows[1]["updated"]


@pytest.mark.parametrize("name", RECIPES)
def test_the_true_update_improves_its_batch_and_random_ones_of_its_length_do_not(
    trained: Any, name: str
) -> None:
    run, step = trained(name), STEPS
    answer = ask(run, step)
    random, whole = answer["whole"]["random"], answer["whole"]
    before, after = random["before"], random["after"]
    _, ids, targets = model_at(run, step - 1).batches.batch(step)
    read = len(ids) // 2
    with torch.no_grad():
        expected = _learner_at(run, step - 1).model(ids[:read], targets[:read])
    assert before == pytest.approx(float(expected), rel=1e-5)
    assert random["predictions"] == targets[:read].numel()
    gained = before - after
    assert gained > 0
    assert len(set(random["losses"])) == DRAWS
    # In thousands of dimensions any direction is nearly orthogonal to the gradient.
    assert all(abs(loss - before) < gained / 3 for loss in random["losses"])
    assert random["cosine_spread"] == pytest.approx(whole["parameters"] ** -0.5)
    assert whole["cosine"] > 5 * random["cosine_spread"]
    assert ask(run, step)["whole"]["random"] == random


@pytest.mark.parametrize("name", RECIPES)
def test_a_matrix_that_differs_from_the_record_says_by_how_much(trained: Any, name: str) -> None:
    run, step = trained(name), 7
    check = ask(run, step)["check"]
    assert (check["largest_difference"], check["rows_compared"]) == (0, len(run.vocabulary))
    with MatrixHistory(run) as history:
        before, after = (history.snapshot(at).vectors.astype(np.float64) for at in (step - 1, step))
    assert check["largest_update"] == pytest.approx(np.abs(after - before).max(), rel=1e-6)

    model = model_at(run, step - 1)
    with torch.no_grad():
        model.learner.model.embedding.weight[5, 3] += 0.25
    answer = look(model, step=step, token=5)
    assert answer["check"]["largest_difference"] == pytest.approx(0.25, abs=0.1)
    assert answer["row"]["row"]["largest_difference"] == pytest.approx(0.25, abs=0.1)
    # A step that did not happen has no record.
    beyond = ask(run, STEPS + 1)
    assert beyond["check"]["largest_difference"] is None
    assert beyond["row"]["row"]["largest_difference"] is None


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


def test_it_ends_when_cancelled(trained: Any) -> None:
    heard: list[float] = []

    def cancel(share: float, _activity: str) -> None:
        heard.append(share)
        if share > 0:
            raise CancelledError

    with pytest.raises(CancelledError):
        examine(model_at(trained("lazy"), 3), MicroscopeQuestion(step=4), cancel)
    assert len(heard) == 2
