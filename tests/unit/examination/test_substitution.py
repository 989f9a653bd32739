"""The kind *substitution*: a word's nearest neighbour can replace it, and words of similar
frequency cannot.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lamplighter.contract.questions import QuestionError, SubstitutionQuestion
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.substitution import DRAWS, examine
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.model.learner import Learner
from lamplighter.runfolder.run_folder import RunFolder
from tests.support.village import ANIMALS, HOMES, VOICES, Village, ignore_progress, stored


def ask(model: ExaminedModel, **fields: Any) -> dict[str, Any]:
    answer = examine(model, SubstitutionQuestion(step=model.step, **fields), ignore_progress)
    return stored(answer)


@pytest.fixture(scope="module")
def answer(village: Village) -> dict[str, Any]:
    """Return the answer about the trained village."""
    return ask(village.examined())


def test_only_after_training_a_near_word_costs_less_than_one_of_similar_frequency(
    village: Village, answer: dict[str, Any]
) -> None:
    # Animals, voices and homes, "the", "in", "something" and the full stop.
    assert answer["sentences"] == len([*ANIMALS, *VOICES, *HOMES]) + 4
    assert (answer["text"], answer["positions"], answer["draws"]) == ("training", 12, DRAWS)
    assert 0 < answer["near"]["rise"] < answer["chance"]["rise"]
    gain = answer["chance_less_near"]
    assert gain["mean"] == pytest.approx(answer["chance"]["rise"] - answer["near"]["rise"], rel=1e-4)
    assert gain["mean"] > 4 * gain["error"] > 0
    assert answer["share_near_better"] > 0.8

    untrained = ask(village.examined(0))
    gain = untrained["chance_less_near"]
    assert abs(gain["mean"]) < 4 * gain["error"]
    assert 0.2 < untrained["share_near_better"] < 0.8


def test_the_rise_covers_the_word_and_what_follows_and_draws_have_a_spread(
    answer: dict[str, Any],
) -> None:
    for name in ("near", "tenth", "chance"):
        rise = answer[name]
        assert rise["rise"] == pytest.approx(rise["at"] + rise["after"], rel=1e-4)
        assert rise["error"] > 0
    chance = answer["chance"]
    assert len(chance["by_draw"]) == DRAWS
    assert chance["rise"] == pytest.approx(np.mean(chance["by_draw"]), rel=1e-4)
    assert chance["spread"] == pytest.approx(np.std(chance["by_draw"], ddof=1), rel=1e-4)


def test_the_example_has_the_models_loss_on_the_changed_sentence(
    village: Village, answer: dict[str, Any]
) -> None:
    model, example = village.examined(), answer["example"]
    ids, position = example["ids"], example["position"]
    assert ids[position] == example["word"]
    text = village.run.token_ids.tolist()
    assert any(text[start : start + len(ids)] == ids for start in range(len(text)))
    nearest, _ = nearest_rows(
        model.learner.model.embedding.weight.detach().numpy(), np.array([example["word"]]), 11
    )
    words = [word for word in nearest[0].tolist() if word != 0]
    assert [example["near"]["id"], example["tenth"]["id"]] == [words[0], words[9]]
    for name in ("near", "tenth", "chance"):
        changed = [*ids[:position], example[name]["id"], *ids[position + 1 :]]
        rise = loss_of(model.learner, changed) - loss_of(model.learner, ids)
        assert example[name]["rise"] == pytest.approx(rise, rel=1e-3, abs=1e-3)


def loss_of(learner: Learner, ids: list[int]) -> float:
    """Return the loss of a whole window in nats."""
    tokens = torch.tensor([ids])
    with torch.no_grad():
        return (len(ids) - 1) * float(learner.model(tokens[:, :-1], tokens[:, 1:]))


def test_the_seed_determines_the_sentences_and_the_model_stays_unchanged(
    village: Village, answer: dict[str, Any]
) -> None:
    model = village.examined()
    before = [parameter.detach().clone() for parameter in model.learner.model.parameters()]
    assert ask(model) == answer
    other = ask(model, seed=1)
    assert other["chance"]["by_draw"] != answer["chance"]["by_draw"]
    assert all(map(torch.equal, before, model.learner.model.parameters()))
    assert ask(model, words=20)["sentences"] == 20


def test_held_out_text_is_read_if_there_is_any_and_classes_are_not_needed(
    village: Village, tmp_path: Path
) -> None:
    assert ask(village.with_held_out_text(tmp_path).examined())["text"] == "held_out"
    assert ask(village.without_classes(tmp_path).examined())["share_near_better"] > 0.8


def test_a_short_text_is_refused_and_a_diverged_model_gives_no_numbers(
    village: Village, tmp_path: Path
) -> None:
    short = village.with_held_out_text(tmp_path)
    np.save(RunFolder(short.run.path).held_out_path, village.run.token_ids[:2])
    with pytest.raises(QuestionError, match="too short"):
        ask(short.examined())
    learner = village.learner(0)
    with torch.no_grad():
        learner.model.unembedding.weight.fill_(float("nan"))
    answer = ask(village.examined(learner=learner))
    assert answer["near"]["rise"] is answer["chance_less_near"]["error"] is None
