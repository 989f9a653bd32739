"""The microscope on real tiny runs: every number against the record, or against the tensors computed another way."""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lamplighter.examination.examined_model import Answer, CancelledError, ExaminedModel
from lamplighter.examination.kinds.microscope import examine
from lamplighter.examination.kinds.microscope.predictions import CANDIDATES, MAX_POSITIONS
from lamplighter.examination.kinds.microscope.retaken_step import retake_step
from lamplighter.examination.kinds.microscope.river import (
    EXPLODING_FACTOR,
    VANISHING_SHARE,
    describe_river,
)
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.step import train_step
from lamplighter.questions import MicroscopeQuestion, QuestionError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.runs import make_run

CPU = torch.device("cpu")
STEPS = 12
# Ten numbers a row do not fill the processor's vectors: the rest of a row is computed by other instructions.
SHAPE = {"dim": 10, "layers": 2, "heads": 2, "context": 8}
LAZY: dict[str, Any] = {"optimiser": {"kind": "lazy"}}
ADAM: dict[str, Any] = {"optimiser": {"kind": "adam"}}
SGD: dict[str, Any] = {"optimiser": {"kind": "sgd", "learning_rate": 0.3}}
TIED: dict[str, Any] = {"optimiser": {"kind": "adam"}, "model": {**SHAPE, "tied": True}}
RECIPES = {"lazy": LAZY, "adam": ADAM, "sgd": SGD, "tied": TIED}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that returns a trained run by the name of its recipe."""

    @functools.cache
    def run_of(name: str) -> RunFolder:
        folder = tmp_path_factory.mktemp(name)
        # Steps that move most rows are kept at keyframes only.
        cadence = {"keyframe_every": 1}
        run = make_run(folder, **{"steps": STEPS, "model": SHAPE, "cadence": cadence, **RECIPES[name]})
        train(run)
        return run

    return run_of


def learner_at(run: RunFolder, step: int) -> Learner:
    """Return a copy of the model of a run after a step, trained from the start."""
    return copy.deepcopy(_learner_at(run, step))


@functools.cache
def _learner_at(run: RunFolder, step: int) -> Learner:
    if step:
        learner = learner_at(run, step - 1)
        train_step(learner, *BatchReader(run.recipe, run.token_ids, CPU).batch(step)[1:])
        return learner
    recipe = run.recipe
    torch.set_num_threads(recipe.threads)
    learner = build_learner(recipe, len(run.vocabulary), CPU)
    learner.set_learning_rate(recipe.optimiser.learning_rate)
    return learner


def model_at(run: RunFolder, step: int) -> ExaminedModel:
    return ExaminedModel(
        run=run,
        learner=learner_at(run, step),
        batches=BatchReader(run.recipe, run.token_ids, CPU),
        step=step,
        learning_rate=run.recipe.optimiser.learning_rate,
        learner_at=lambda at: learner_at(run, at),
    )


def hear_nothing(_share: float, _activity: str) -> None:
    pass


def ask(run: RunFolder, step: int, **fields: Any) -> Answer:
    return examine(model_at(run, step - 1), MicroscopeQuestion(step=step, **fields), hear_nothing)


def dense(gradient: torch.Tensor | None) -> torch.Tensor:
    assert gradient is not None
    return gradient.to_dense()


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("step", [1, 2, STEPS])
def test_the_step_is_the_recorded_one_and_the_row_is_equal_to_the_last_bit(
    trained: Any, name: str, step: int
) -> None:
    answer = ask(trained(name), step, coordinate=SHAPE["dim"] - 1)
    assert answer["check"]["equal"] is True
    row = answer["row"]
    with MatrixHistory(trained(name)) as history:
        before, after = (history.snapshot(at).vectors for at in (step - 1, step))
    assert row["old"] == before[row["token"], -1]
    assert row["stored"] == after[row["token"], -1] == row["new"]
    assert row["difference"] == row["model_difference"] == 0
    assert row["row"]["numbers_equal"] == row["row"]["numbers"] == SHAPE["dim"]
    # By default it is the row that moved farthest.
    distances = np.linalg.norm(after - before, axis=1)
    assert distances[row["token"]] == pytest.approx(distances.max())
    assert row["row"]["distance"] == pytest.approx(distances.max(), rel=1e-5)
    assert row["old"] != row["new"]
    assert row["occurrences"] > 0 or name == "tied"


@pytest.mark.parametrize("name", RECIPES)
def test_every_row_of_the_batch_and_one_outside_it_come_out_as_recorded(trained: Any, name: str) -> None:
    run, step = trained(name), 7
    model = model_at(run, step - 1)
    batch = np.unique(model.batches.batch(step)[0])
    # Read by the step before, and so with momentum, but not by this one.
    before = np.unique(model.batches.batch(step - 1)[0])
    asleep = int(np.setdiff1d(before, batch)[0])
    rows = {
        token: examine(model, MicroscopeQuestion(step=step, token=token, coordinate=3), hear_nothing)["row"]
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
        # Momentum carries it on, or the softmax gives it a gradient.
        assert rows[asleep]["change"] != 0


@pytest.mark.parametrize("name", ["lazy", "adam", "tied"])
def test_the_averages_are_those_of_the_optimiser_and_the_formula_is_adams(trained: Any, name: str) -> None:
    run, step = trained(name), 5
    row = ask(run, step, coordinate=2)["row"]
    for when, at in (("before", step - 1), ("after", step)):
        learner = learner_at(run, at)
        state = learner.optimisers[0].state[learner.model.embedding.weight]
        assert row[f"m_{when}"] == float(state["exp_avg"][row["token"], 2])
        assert row[f"v_{when}"] == float(state["exp_avg_sq"][row["token"], 2])
        assert int(state["step"]) == row["updates"] - (step - at)
    # The page's own arithmetic, in 64 bits, from the numbers of the answer alone.
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


def test_a_step_of_sgd_has_no_averages(trained: Any) -> None:
    row = ask(trained("sgd"), 4)["row"]
    assert row["m_after"] is row["v_before"] is row["bias_correction1"] is row["uncorrected_times"] is None
    assert row["new"] == pytest.approx(row["old"] - row["learning_rate"] * row["gradient"], rel=1e-5)


@pytest.mark.parametrize("name", RECIPES)
def test_moved_parameters_and_the_angle_are_those_of_all_numbers_in_one_vector(
    trained: Any, name: str
) -> None:
    run, step = trained(name), 6
    before, after = _learner_at(run, step - 1), _learner_at(run, step)  # A copy has no gradients.
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
        # Two rates: the embedding's is five times that of the rest, so even here the update is not the gradient.
        assert whole["layers"][-1]["degrees"] == pytest.approx(0, abs=0.2)
        assert whole["degrees"] > 1


def test_the_text_and_its_probabilities_are_those_of_the_model_before_and_after(trained: Any) -> None:
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


def test_other_text_is_the_next_batch_and_what_is_never_read(trained: Any) -> None:
    run, step = trained("lazy"), 8
    losses = ask(run, step)["text"]["losses"]
    _, ids, targets = BatchReader(run.recipe, run.token_ids, CPU).batch(step + 1)
    half = run.recipe.sequences // 2
    ids, targets = ids[:half], targets[:half]
    for when, at in (("before", step - 1), ("after", step)):
        assert losses["other"][when] == pytest.approx(learner_at(run, at).model(ids, targets).item())
    assert run.held_out_ids is None
    assert losses["held_out"] is None
    # The corpus itself in the place of an unread one: its loss is measured on as many predictions as half a batch has.
    run.held_out_path.write_bytes((run.path / "corpus.npy").read_bytes())
    try:
        held_out = ask(RunFolder(run.path), step)["text"]["losses"]["held_out"]
    finally:
        run.held_out_path.unlink()
    assert held_out["predictions"] == losses["other"]["predictions"] == half * run.recipe.model.context
    assert held_out["before"] != held_out["after"]


def test_right_guesses_have_the_share_that_autograd_gives_them(trained: Any) -> None:
    run, step = trained("lazy"), STEPS
    _, ids, targets = BatchReader(run.recipe, run.token_ids, CPU).batch(step)
    logits = learner_at(run, step - 1).model.logits(ids).detach().flatten(0, 1).requires_grad_()
    F.cross_entropy(logits, targets.flatten()).backward()
    lengths = dense(logits.grad).norm(dim=1)
    right = logits.argmax(dim=1) == targets.flatten()
    guesses = ask(run, step)["whole"]["right_guesses"]
    assert guesses["positions"] == int(right.sum()) > 0
    assert guesses["gradient_share"] == pytest.approx(float(lengths[right].sum() / lengths.sum()), rel=1e-4)


def test_an_output_is_the_sum_of_its_products(trained: Any) -> None:
    answer = ask(trained("lazy"), 3, sequence=1)
    linear = answer["linear"]
    w, x = (np.array(linear[name], dtype=np.float32).astype(np.float64) for name in "wx")
    assert linear["sum"] == pytest.approx(float(w @ x) + linear["b"], abs=1e-15)
    assert abs(linear["difference"]) < 1e-6
    assert linear["y"] - linear["sum"] == linear["difference"]
    assert linear["y"] > 0
    # The output of the model before the step, whose weights the update then changed.
    model = learner_at(trained("lazy"), 2).model
    block: Any = model.blocks[0]
    assert linear["w"] == pytest.approx(block.mlp.widen.weight[linear["output"]].tolist())


def test_the_river_runs_from_the_loss_to_the_embedding_unclipped(trained: Any) -> None:
    run, step = trained("lazy"), 4
    river = ask(run, step)["river"]
    learner = learner_at(run, step - 1)
    _, ids, targets = BatchReader(run.recipe, run.token_ids, CPU).batch(step)
    for parameter in learner.model.parameters():
        parameter.grad = None
    learner.model(ids, targets).backward()
    norms = {
        layer: float(torch.stack([dense(p.grad).norm() for p in parameters]).norm())
        for layer, parameters in learner.model.layers().items()
    }
    assert [part["layer"] for part in river["layers"]] == list(reversed(norms))
    for part in river["layers"]:
        assert part["norm"] == pytest.approx(norms[part["layer"]], rel=1e-4)
        assert part["flag"] is None
    assert river["norm"] == pytest.approx(math.hypot(*norms.values()), rel=1e-4)
    assert river["clip_scale"] == pytest.approx(min(1, river["clip_norm"] / river["norm"]), rel=1e-4)


def test_a_gradient_that_vanishes_or_explodes_is_flagged(trained: Any) -> None:
    retaken = retake_step(model_at(trained("lazy"), 3))
    limit = retaken.after.clip_norm
    norms = np.full(len(retaken.layers), limit, dtype=np.float32)
    norms[1] = limit * EXPLODING_FACTOR * 1.01
    norms[2] = norms[1] * VANISHING_SHARE * 0.99
    norms[3] = norms[1] * VANISHING_SHARE * 1.01
    observation = dataclasses.replace(retaken.observation, layer_norms=norms)
    river = describe_river(dataclasses.replace(retaken, observation=observation))
    flags = {part["layer"]: part["flag"] for part in river["layers"] if part["flag"]}
    assert flags == {retaken.layers[1]: "exploding", retaken.layers[2]: "vanishing"}


def test_the_operations_are_of_this_model_and_add_up(trained: Any) -> None:
    run = trained("lazy")
    operations = ask(run, 2)["operations"]
    forward, totals = operations["forward"], operations["totals"]
    assert sum(o["forward"] for o in forward) == totals["forward"]
    assert sum(o["backward"] for o in forward if o["is_product"]) == totals["backward_products"]
    assert forward[0]["name"] == "embedding lookup"
    assert tuple(forward[0]["inputs"][1]) == (len(run.vocabulary), SHAPE["dim"])
    # Four in attention with its scores and values, two in the MLP, twice; then the unembedding.
    assert sum(o["is_product"] for o in forward) == 2 * 6 + 1


def test_a_model_that_is_not_the_recorded_one_is_told_apart(trained: Any) -> None:
    model = model_at(trained("lazy"), 3)
    with torch.no_grad():
        model.learner.model.embedding.weight.add_(1e-4)
    answer = examine(model, MicroscopeQuestion(step=4), hear_nothing)
    assert answer["check"]["equal"] is False
    assert 0 < abs(answer["row"]["difference"]) < 1e-2


def test_a_step_after_the_last_has_no_record(trained: Any) -> None:
    answer = ask(trained("lazy"), STEPS + 1)
    assert answer["check"]["equal"] is answer["check"]["recorded"] is None
    assert answer["row"]["stored"] is answer["row"]["difference"] is None
    assert answer["row"]["model_difference"] == 0


def test_the_answer_is_small_json_and_the_model_is_left_as_it_was(trained: Any) -> None:
    model = model_at(trained("lazy"), 3)
    states = [json.dumps(_state(model.learner))]
    answer = examine(model, MicroscopeQuestion(step=4), hear_nothing)
    states.append(json.dumps(_state(model.learner)))
    assert states[0] == states[1]
    text = json.dumps(answer, allow_nan=False)
    assert len(text) < 100_000
    assert examine(model, MicroscopeQuestion(step=4), hear_nothing) == answer


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
def test_what_the_run_does_not_have_is_refused_with_a_sentence(
    trained: Any, fields: dict[str, int], message: str
) -> None:
    with pytest.raises(QuestionError, match=message):
        ask(trained("lazy"), 3, **fields)


def test_a_step_that_is_not_finite_is_refused_with_a_sentence(trained: Any) -> None:
    model = model_at(trained("lazy"), 3)
    with torch.no_grad():
        model.learner.model.norm.weight.fill_(math.inf)
    with pytest.raises(QuestionError, match="step 4 does not come out in finite numbers"):
        examine(model, MicroscopeQuestion(step=4), hear_nothing)


def test_a_model_at_another_step_is_a_mistake_of_the_caller(trained: Any) -> None:
    with pytest.raises(ValueError, match="the model is at step 2, the question is about step 4"):
        examine(model_at(trained("lazy"), 2), MicroscopeQuestion(step=4), hear_nothing)


def test_it_ends_when_it_is_cancelled_on_the_way(trained: Any) -> None:
    heard: list[float] = []

    def cancel(share: float, _activity: str) -> None:
        heard.append(share)
        if share > 0:
            raise CancelledError

    with pytest.raises(CancelledError):
        examine(model_at(trained("lazy"), 3), MicroscopeQuestion(step=4), cancel)
    assert len(heard) == 2


def test_the_learning_rate_is_the_one_of_that_step(trained: Any) -> None:
    model = model_at(trained("lazy"), 3)
    other = dataclasses.replace(model, learning_rate=model.learning_rate / 2)
    rows = [
        examine(m, MicroscopeQuestion(step=4, token=5, coordinate=1), hear_nothing)["row"]
        for m in (model, other)
    ]
    assert rows[0]["learning_rate"] == 2 * rows[1]["learning_rate"]
    assert rows[1]["difference"] != 0 or not rows[1]["updated"]
