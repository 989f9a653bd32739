"""The kind *rotation*: every number changes, no neighbour does, and the layers fail.

The kind *better*: a step improves its own batch, and other text only by chance.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from lamplighter.contract.questions import BetterQuestion, QuestionError, RotationQuestion
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds import rotation
from lamplighter.examination.kinds.better import choose_places, examine
from lamplighter.model.step import train_step
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


def ask_of_better(model: ExaminedModel, steps: int = 12, places: int = 1) -> dict[str, Any]:
    question = BetterQuestion(step=model.step, steps=steps, places=places)
    answer = examine(model, question, ignore_progress)
    return stored(answer)


def test_a_step_improves_its_own_batch_and_shares_are_counted(village: Village) -> None:
    model = village.examined()
    before = [parameter.detach().clone() for parameter in model.learner.model.parameters()]
    answer = ask_of_better(model)
    assert answer["shares"]["same"] == 1
    assert answer["unread"] is answer["shares"]["unread"] is None
    for name in ("same", "other"):
        losses = answer[name]
        assert len(losses) == 12
        assert answer["shares"][name] == pytest.approx(sum(b < a for a, b in losses) / 12, rel=1e-5)
    # At the end of its training, one more batch does not improve the village elsewhere.
    assert answer["shares"]["other"] < 1
    assert all(map(torch.equal, before, model.learner.model.parameters()))


def test_at_first_every_step_improves_every_text(village: Village, tmp_path: Path) -> None:
    answer = ask_of_better(village.with_held_out_text(tmp_path).examined(0), steps=5, places=4)
    assert answer["shares"] == {"same": 1, "other": 1, "unread": 1}
    # Unread text is the same before a step and after the previous one.
    unread = answer["unread"]
    assert [after for _, after in unread[:-1]] == [before for before, _ in unread[1:]]
    # There is no place before the first step.
    assert [(place["step"], place["steps"]) for place in answer["places"]] == [(0, 5)]


def test_steps_start_from_several_places_with_a_kept_state(village: Village, tmp_path: Path) -> None:
    held = village.with_held_out_text(tmp_path)
    # The village keeps the states of its first steps, and its last.
    model = held.examined(200)
    assert choose_places(model, 4) == [50, 200]
    assert choose_places(held.examined(40), 4) == [10, 20, 40]
    assert choose_places(model, 1) == [200]
    answer = ask_of_better(model, steps=5, places=4)
    assert [(place["step"], place["steps"]) for place in answer["places"]] == [(50, 2), (200, 3)]
    assert [len(answer[name]) for name in ("same", "other", "unread", "right_guesses")] == [5] * 4
    assert ask_of_better(model, steps=3)["same"] == answer["same"][2:]
    own = ask_of_better(held.examined(50), steps=2)
    assert {name: own[name] for name in ("same", "unread")} == {
        name: answer[name][:2] for name in ("same", "unread")
    }
    assert answer["places"][0]["shares"] == own["shares"]


def test_losses_and_right_guesses_are_of_the_batch(village: Village) -> None:
    model = village.examined()
    answer = ask_of_better(model, steps=2)
    learner = village.learner()
    for number, ((before, after), share) in enumerate(
        zip(answer["same"], answer["right_guesses"], strict=True), 1
    ):
        _, ids, targets = model.batches.batch(STEPS + number)
        logits = learner.model.logits(ids).detach().flatten(0, 1).requires_grad_()
        loss = F.cross_entropy(logits, targets.flatten())
        assert before == pytest.approx(loss.item(), rel=1e-5)
        [gradient] = torch.autograd.grad(loss, logits)
        lengths = gradient.norm(dim=1)
        right = logits.argmax(dim=1) == targets.flatten()
        assert share == pytest.approx((lengths[right].sum() / lengths.sum()).item(), rel=1e-3)
        assert 0 < share < 1
        train_step(learner, ids, targets)
        assert after == pytest.approx(learner.model(ids, targets).item(), rel=1e-5)
