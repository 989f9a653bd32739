"""The kind *heads*: what each head attends to on repeated random tokens, against planted heads and a plain computation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lamplighter.contract.questions import HeadsQuestion
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds import heads
from lamplighter.model.held_out import HeldOutLoss
from tests.support.village import Village, ignore_progress, stored

T = 6


def ask(model: ExaminedModel, **fields: Any) -> dict[str, Any]:
    return stored(heads.examine(model, HeadsQuestion(step=model.step, **fields), ignore_progress))


def planted(target: dict[int, int]) -> NDArray[np.float64]:
    """Return the attention of a head that attends to one position from each, (1, 2 T, 2 T)."""
    attention = np.zeros((1, 2 * T, 2 * T))
    for position in range(2 * T):
        attention[0, position, target.get(position, position)] = 1
    return attention


@pytest.mark.parametrize(
    ("target", "scores"),
    [
        ({i: i - 1 for i in range(1, 2 * T)}, {"previous": 1, "induction": 0, "first": 1 / (2 * T - 1), "spread": 0}),
        ({i: i - T + 1 for i in range(T, 2 * T)}, {"previous": 0, "induction": 1, "first": 0, "spread": 0}),
        (dict.fromkeys(range(2 * T), 0), {"previous": 1 / (2 * T - 1), "induction": 0, "first": 1, "spread": 0}),
    ],
    ids=["previous token", "induction", "first token"],
)  # fmt: skip
def test_a_planted_head_is_told_for_what_it_is(target: dict[int, int], scores: dict[str, float]) -> None:
    found = heads.score_attention(planted(target)).model_dump()
    assert found == pytest.approx(scores, abs=1e-4)


def test_uniform_attention_is_the_null_of_each_score(village: Village) -> None:
    answer = ask(village.examined(), readings=1)
    length = 2 * answer["tokens"]
    assert answer["uniform"]["spread"] == 1
    assert answer["uniform"]["previous"] == pytest.approx(
        np.mean([1 / (i + 1) for i in range(1, length)]), abs=1e-4
    )
    later = range(length // 2, length)
    assert answer["uniform"]["induction"] == pytest.approx(np.mean([1 / (i + 1) for i in later]), abs=1e-4)
    # An untrained head attends almost uniformly.
    [untrained] = ask(village.examined(0))["readings"]
    for head in untrained["heads"][0]:
        assert head == pytest.approx(answer["uniform"], abs=0.02)


def test_the_scores_are_those_of_a_plain_computation(village: Village) -> None:
    model = village.examined()
    answer = ask(model, readings=1)
    half = np.random.default_rng(0).integers(
        0, len(model.run.vocabulary), (answer["sequences"], answer["tokens"])
    )
    ids = torch.from_numpy(np.concatenate((half, half), axis=1))
    length = ids.shape[1]
    with torch.no_grad():
        layers = model.learner.model.attention_weights(ids)
        logits = model.learner.model.logits(ids).log_softmax(dim=2)
    for told, layer in zip(answer["readings"][0]["heads"], layers, strict=True):
        for number, scores in enumerate(told):
            previous, induction = [], []
            for sequence in range(len(ids)):
                for position in range(1, length):
                    row = layer[sequence, number, position]
                    previous.append(float(row[position - 1]))
                    if position >= length // 2:
                        # Where the same token stood before, one further.
                        induction.append(float(row[position - length // 2 + 1]))
            assert scores["previous"] == pytest.approx(np.mean(previous), abs=1e-4)
            assert scores["induction"] == pytest.approx(np.mean(induction), abs=1e-4)
    again = [
        -float(logits[sequence, position - 1, ids[sequence, position]])
        for sequence in range(len(ids))
        for position in range(length // 2 + 1, length)
    ]
    assert answer["readings"][0]["loss_again"] == pytest.approx(np.mean(again), rel=1e-4)


def test_the_states_that_were_kept_are_read_in_order(village: Village) -> None:
    steps = [reading["step"] for reading in ask(village.examined(), readings=4)["readings"]]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1], len(steps)) == (0, 250, 4)
    assert [reading["step"] for reading in ask(village.examined(), readings=2)["readings"]] == [0, 250]


def test_the_in_context_score_is_that_of_a_plain_computation(village: Village, tmp_path: Path) -> None:
    assert ask(village.examined(), readings=1)["readings"][0]["in_context"] is None
    village = village.with_held_out_text(tmp_path)
    model = village.examined()
    told = ask(model, readings=1)["readings"][0]
    context, text = model.run.recipe.model.context, model.run.held_out_ids
    assert text is not None
    starts = HeldOutLoss(model.run.recipe, text).windows[:, 0]
    scores: list[float] = []
    for start in np.linspace(0, len(text) - 1 - context, len(starts)).astype(int):
        ids = torch.from_numpy(text[start : start + context + 1].astype(np.int64))
        with torch.no_grad():
            logarithms = model.learner.model.logits(ids[None, :-1])[0].double().log_softmax(dim=1)
        losses = [-float(logarithms[at, ids[at + 1]]) for at in range(context)]
        quarter = context // 4
        scores.append(float(np.mean(losses[-quarter:]) - np.mean(losses[:quarter])))
    assert told["in_context"] == pytest.approx(np.mean(scores), abs=1e-4)
    assert told["in_context_error"] == pytest.approx(np.std(scores, ddof=1) / len(scores) ** 0.5, abs=1e-4)
    # An untrained model makes nothing of the words before.
    [untrained] = ask(village.examined(0))["readings"]
    assert abs(untrained["in_context"]) < 3 * untrained["in_context_error"] + 0.05
