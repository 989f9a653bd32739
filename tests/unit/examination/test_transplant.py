"""The kind *transplant*: with another word's row a word becomes that word.

An older matrix does not fit newer layers.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lamplighter.contract.questions import QuestionError, TransplantQuestion
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.transplant import examine
from lamplighter.model.held_out import HeldOutLoss
from lamplighter.model.learner import build_learner
from tests.support.village import CPU, STEPS, Village, ignore_progress, stored, village_recipe


def ask(model: ExaminedModel, **fields: Any) -> dict[str, Any]:
    question = TransplantQuestion(**{"step": model.step, "prompt": "the dog", "words": 4, **fields})
    answer = examine(model, question, ignore_progress)
    return stored(answer)


def said(words: list[dict[str, Any]]) -> list[int]:
    return [word["id"] for word in words]


def test_with_the_cats_row_the_dog_meows(village: Village) -> None:
    answer, word = ask(village.examined(), into="dog", source="cat"), village.word
    assert (answer["into"], answer["source"], answer["source_step"]) == (word("dog"), word("cat"), STEPS)
    assert answer["before"][0]["id"] == word("barked")
    assert answer["before"][0]["p"] > 0.5
    assert answer["after"][0]["id"] == word("meowed")
    # With "cat" in the prompt the unchanged model reads the very same rows.
    assert answer["instead"] == answer["after"]
    barked, meowed = answer["first"]
    assert barked["id"] == word("barked")
    assert barked["after"] < 0.05
    assert meowed["id"] == word("meowed")
    assert meowed["before"] < 0.05
    assert answer["after"][0]["p"] == pytest.approx(meowed["after"], rel=1e-4)
    assert answer["rows"] == 1
    assert answer["distance"] > 0
    assert len(answer["after"]) == 4
    assert len(answer["after"][0]["candidates"]) == 8


def test_the_row_of_another_step_removes_the_words_meaning(village: Village) -> None:
    answer = ask(village.examined(), into="dog", source_step=0)
    assert answer["source"] == answer["into"]
    assert answer["source_step"] == 0
    assert answer["first"][0]["after"] < answer["first"][0]["before"] / 2
    assert answer["instead"] is None
    assert answer["rows"] == 1


def test_the_whole_matrix_of_another_step_is_worse_than_its_own(village: Village) -> None:
    answer = ask(village.examined(), source_step=0)
    assert answer["into"] is answer["source"] is None
    assert answer["loss"]["after"] > answer["loss"]["before"] + 1
    # `<unk>` is never read, so its row is still the first one.
    assert answer["rows"] == len(village.run.vocabulary) - 1
    assert answer["chance"] == pytest.approx(
        torch.log(torch.tensor(float(answer["rows"] + 1))).item(), rel=1e-4
    )


def test_losses_have_errors_and_the_matrix_of_the_previous_step_costs_almost_nothing(
    village: Village,
) -> None:
    answer = ask(village.examined(), source_step=STEPS // 10)
    rise, previous = answer["rise"], answer["previous"]
    assert rise["mean"] == pytest.approx(answer["loss"]["after"] - answer["loss"]["before"], rel=1e-3)
    assert 0 < rise["error"] < rise["mean"] / 4
    assert previous["step"] == STEPS - 1
    assert abs(previous["rise"]["mean"]) < rise["mean"] / 20
    assert previous["loss"] == pytest.approx(
        answer["loss"]["before"] + previous["rise"]["mean"], rel=1e-3, abs=1e-6
    )
    # The windows are one sample, so the losses vary about as much with either matrix.
    assert 0 < answer["loss_errors"]["before"] < answer["loss_errors"]["after"] < 1
    assert ask(village.examined(), into="dog", source="cat")["previous"] is None
    assert ask(village.examined(0), source_step=2)["previous"] is None


def test_a_recorded_matrix_equals_the_replayed_models(village: Village) -> None:
    earlier = village.examined(20)
    answer = ask(village.examined(21), source_step=20)
    learner = village.learner(21)
    learner.model = learner.model.with_embedding(earlier.learner.model.embedding.weight.detach())
    loss = HeldOutLoss(village.run.recipe, village.run.token_ids).measure(learner)
    assert answer["loss"]["after"] == pytest.approx(loss, rel=1e-5)


def test_the_model_stays_unchanged(village: Village) -> None:
    model = village.examined()
    before = [parameter.detach().clone() for parameter in model.learner.model.parameters()]
    first = ask(model, into="dog", source="cat")
    assert model.text_losses[STEPS].mean() == pytest.approx(first["loss"]["before"], rel=1e-5)
    assert all(map(torch.equal, before, model.learner.model.parameters()))
    assert ask(model, into="dog", source="cat") == first


def test_a_tied_row_is_replaced_for_input_and_output(village: Village) -> None:
    recipe = village_recipe(
        model={"dim": 24, "heads": 2, "context": 12, "tied": True}, optimiser={"kind": "adam"}
    )
    model = village.examined(learner=build_learner(recipe, len(village.run.vocabulary), CPU))
    answer = ask(model, into="dog", source="cat", words=1)
    said_after = dict(map(tuple, answer["after"][0]["candidates"]))
    assert said_after.get(village.word("dog")) == said_after.get(village.word("cat"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "source_step: say another step"),
        ({"source": "cat"}, "into: say whose row"),
        ({"into": "dog"}, "nothing would be changed"),
        ({"into": "dog", "source": "dog", "source_step": 3}, "nothing would be changed"),
        ({"into": "dog", "source": "zebra"}, "zebra"),
        ({"into": "dog", "source": "the cat"}, "is 2 words here"),
        ({"source_step": STEPS + 1}, "source_step: the embedding at step 251 was not kept"),
        ({"into": "dog", "source": "cat", "prompt": "the " * 13}, "at most 12 words"),
    ],
)
def test_a_meaningless_transplant_is_refused(village: Village, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        ask(village.examined(3), **fields)
