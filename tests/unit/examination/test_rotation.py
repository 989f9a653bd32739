"""The kind *rotation*: every number changes, no neighbour does, and the layers fail."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lamplighter.contract.questions import QuestionError, RotationQuestion
from lamplighter.examination.kinds import rotation
from tests.support.village import STEPS, Village, ignore_progress, stored


def ask(village: Village, seed: int = 0) -> dict[str, Any]:
    answer = rotation.examine(village.examined(), RotationQuestion(step=STEPS, seed=seed), ignore_progress)
    return stored(answer)


def test_all_numbers_change_and_no_neighbour_does(village: Village) -> None:
    answer = ask(village)
    assert answer["changed"] > 0.99
    assert answer["coordinates"] == 24 * len(village.run.vocabulary)
    assert answer["kept"] == 1
    assert answer["lists"] == len(village.run.vocabulary)
    assert answer["cosine_error"] < 1e-5
    purity = answer["purity"]
    assert purity["before"] == purity["after"] > 2 * purity["chance"]


def test_the_example_is_one_word_with_other_numbers_and_the_same_neighbours(village: Village) -> None:
    example = ask(village)["example"]
    before, after = example["before"], example["after"]
    assert all(one != other for one, other in zip(before["numbers"], after["numbers"], strict=True))
    assert [n for n, _ in before["neighbours"]] == [n for n, _ in after["neighbours"]]
    assert example["id"] in {i for members in village.run.vocabulary.classes.values() for i in members}


def test_layers_fail_on_rotated_numbers(village: Village) -> None:
    loss = ask(village)["loss"]
    assert loss["after"] > loss["before"] + 1


def test_the_seed_determines_the_rotation(village: Village) -> None:
    assert ask(village, 1) == ask(village, 1) != ask(village, 2)


def test_without_classes_there_is_no_purity(village: Village, tmp_path: Any) -> None:
    assert ask(village.without_classes(tmp_path))["purity"] is None


def test_a_large_matrix_is_sampled(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "MAX_COMPARISONS", 5 * len(village.run.vocabulary))
    answer = ask(village)
    assert answer["lists"] == 5
    assert answer["kept"] == 1
    assert answer["purity"] is None


def test_a_model_that_is_too_wide_is_refused(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "MAX_DIM", 23)
    with pytest.raises(QuestionError, match="rows of 24 numbers"):
        ask(village)


def test_the_model_stays_unchanged(village: Village) -> None:
    model = village.examined()
    before = [parameter.detach().clone() for parameter in model.learner.model.parameters()]
    rotation.examine(model, RotationQuestion(step=STEPS), ignore_progress)
    assert all(map(torch.equal, before, model.learner.model.parameters()))
