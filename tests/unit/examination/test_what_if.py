"""The kind *what if*: a lie is believed within a few steps, others with it, and the model stays unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lamplighter.contract.questions import QuestionError, WhatIfQuestion
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.what_if import examine
from tests.support.village import ANIMALS, Village, ignore_progress, stored

LIE = "the cat barked"


def ask(model: ExaminedModel, sentence: str = LIE, steps: int = 5, after: int = 0) -> dict[str, Any]:
    question = WhatIfQuestion(step=model.step, sentence=sentence, steps=steps, after=after)
    answer = examine(model, question, ignore_progress)
    return stored(answer)


def test_a_lie_is_believed_within_five_steps_and_others_with_it(village: Village) -> None:
    answer, word = ask(village.examined()), village.word
    own = answer["own"]
    assert answer["told"] == 2
    assert own["p"][0] < 0.05
    assert max(own["p"]) > 0.5
    assert own["said"] == word("meowed")
    assert own["said_p"][-1] < own["said_p"][0]
    # The sentence does not mention any other animal.
    changed = answer["also_changed"]
    assert {entry["id"] for entry in changed} <= {word(animal) for animal in ANIMALS} - {word("cat")}
    rises = [entry["p"][5] - entry["p"][0] for entry in changed]
    assert rises == sorted(rises, reverse=True)
    assert rises[0] > 0.01
    assert changed[0]["p"][5] > 5 * changed[0]["p"][0]
    assert all(entry["ids"] == [word("the"), entry["id"]] and entry["place"] == 1 for entry in changed)
    assert answer["watched"] == len(ANIMALS) - 1
    assert answer["states"][5]["text_loss"] > answer["states"][0]["text_loss"]


def test_a_model_that_cannot_speak_yet_believes_nothing(village: Village) -> None:
    assert max(ask(village.examined(2))["own"]["p"]) < 0.3


def test_the_rows_of_the_read_words_light_up_and_move(village: Village) -> None:
    states = ask(village.examined(), steps=2)["states"]
    phases = [(state["phase"], state["number"]) for state in states]
    assert phases == [("before", 0), ("sentence", 1), ("sentence", 2)]
    read = sorted((village.word("the"), village.word("cat")))
    for state in states[1:]:
        rows = state["rows"]
        assert rows["counts"] == {"lit": 2, "gradient": 2, "moved": 2}
        assert rows["lit"] == sorted(token_id for token_id, _ in rows["moved"]) == read
        norms = [norm for _, norm in rows["gradient"]]
        assert norms == sorted(norms, reverse=True)
        assert all(distance > 0 for _, distance in rows["moved"])


def test_steps_on_the_runs_own_text_follow_and_are_read_at_intervals(village: Village) -> None:
    answer = ask(village.examined(), steps=3, after=12)
    town = [state["number"] for state in answer["states"] if state["phase"] == "town"]
    assert town == [1, 2, 3, 5, 10, 12]
    lengths = {len(entry["p"]) for entry in (answer["own"], *answer["also_changed"])}
    assert lengths == {len(answer["states"])} == {10}
    said = answer["candidates"]
    assert said["town"] != said["sentence"] != said["before"]
    # The run's own next text lowers the loss again.
    assert answer["states"][-1]["text_loss"] < answer["states"][3]["text_loss"]


def test_without_such_steps_their_fields_are_empty(village: Village) -> None:
    answer = ask(village.examined(), steps=1)
    assert answer["candidates"]["town"] is None
    assert len(answer["states"]) == 2


def test_the_model_and_its_optimisers_stay_unchanged(village: Village) -> None:
    model = village.examined()
    before = [parameter.detach().clone() for parameter in model.learner.model.parameters()]
    first = ask(model, after=2)
    assert all(map(torch.equal, before, model.learner.model.parameters()))
    assert ask(model, after=2) == first
    assert 0.5 < first["parameters_moved"] < 1


def test_without_classes_the_nearest_words_are_used(village: Village, tmp_path: Path) -> None:
    answer = ask(village.without_classes(tmp_path).examined())
    assert {entry["place"] for entry in answer["also_changed"]} == {0, 1}
    assert answer["watched"] == 2 * 8
    assert answer["also_changed"][0]["p"][5] > answer["also_changed"][0]["p"][0]


def test_held_out_text_shows_the_forgetting_if_there_is_any(village: Village, tmp_path: Path) -> None:
    assert ask(village.examined(), steps=1)["text"] == "training"
    assert ask(village.with_held_out_text(tmp_path).examined(), steps=1)["text"] == "held_out"


def test_final_punctuation_is_read_but_not_told(village: Village) -> None:
    answer = ask(village.examined(), "The cat barked.", steps=1)
    assert answer["sentence"] == [village.word(word) for word in ("the", "cat", "barked", ".")]
    assert answer["told"] == 2
    assert answer["states"][1]["rows"]["counts"]["lit"] == 3


def test_the_told_word_is_the_news_and_not_what_follows_from_it(village: Village) -> None:
    answer = ask(village.examined(), "the cat barked in the basket", steps=1)
    assert answer["told"] == 2
    assert answer["own"]["said"] == village.word("meowed")
    # Nothing is news to a model without expectations: then it is the last word.
    assert ask(village.examined(0), "the cat barked in the basket.", steps=1)["told"] == 5


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("cat", "at least 2 words"),
        ("the cat " * 7, "14 words, and this model reads at most 12 words at a time"),
        ("the zebra barked", "zebra"),
        (" ", "empty"),
    ],
)
def test_an_untrainable_sentence_is_refused(village: Village, sentence: str, message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        ask(village.examined(2), sentence)
