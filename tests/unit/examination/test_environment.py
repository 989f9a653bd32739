"""The kind *environment*: a model learns another town, and forgets and relearns its own.

Its answers change before its map.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lamplighter.contract.questions import EnvironmentQuestion
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.environment import chosen_steps, examine
from lamplighter.examination.readings import TextSample
from lamplighter.model.step import train_step
from tests.support.village import STEPS as STEPS_OF_VILLAGE
from tests.support.village import Village, ignore_progress, stored

STEPS, BACK = 60, 40


def ask(model: ExaminedModel, steps: int = STEPS, back: int = BACK) -> dict[str, Any]:
    answer = examine(model, EnvironmentQuestion(step=model.step, steps=steps, back=back), ignore_progress)
    return stored(answer)


@pytest.fixture(scope="module")
def answer(village: Village) -> dict[str, Any]:
    """Return the answer about the trained village."""
    return ask(village.examined())


def test_the_answers_are_forgotten_and_come_back(answer: dict[str, Any]) -> None:
    curve = {point["step"]: point for point in answer["curve"]}
    before, away, home = curve[0], curve[STEPS], curve[STEPS + BACK]
    assert before["loss_other"] > before["loss_first"] + 1
    assert away["loss_first"] > away["loss_other"]
    assert home["loss_first"] < home["loss_other"]
    assert home["loss_first"] < away["loss_first"]
    assert answer["turned_back_at"] == STEPS


def test_staying_at_home_changes_little_and_reports_its_spread(
    village: Village, answer: dict[str, Any]
) -> None:
    home, curve = answer["home"], answer["curve"]
    assert [point["step"] for point in home["curve"]] == list(range(0, STEPS + 1, STEPS // 10))
    assert home["curve"][0] == {name: curve[0][name] for name in home["curve"][0]}
    for name, field in (("loss", "loss_first"), ("purity_in", "purity_in_first")):
        changes = np.array([point[field] for point in home["curve"]])[1:] - curve[0][field]
        assert home[name]["mean"] == pytest.approx(changes.mean(), rel=1e-3, abs=1e-6)
        assert home[name]["spread"] == pytest.approx(changes.std(ddof=1), rel=1e-3, abs=1e-6)
    away = next(point for point in curve if point["step"] >= STEPS // 2)
    assert abs(home["loss"]["mean"]) < (away["loss_first"] - curve[0]["loss_first"]) / 10
    # It is how the run's training would have continued.
    staying = village.learner(STEPS_OF_VILLAGE)
    model = village.examined()
    for number in range(1, STEPS + 1):
        train_step(staying, *model.batches.batch(STEPS_OF_VILLAGE + number)[1:])
    assert home["curve"][-1]["loss_first"] == TextSample(model).loss(staying.model)


def test_the_curve_begins_with_the_first_town_on_the_map(answer: dict[str, Any], village: Village) -> None:
    before = answer["curve"][0]
    for matrix in ("in", "out"):
        assert before[f"purity_{matrix}_first"] > before[f"purity_{matrix}_other"]
    assert 0 < answer["chance"] < before["purity_in_first"]
    assert 0 < answer["permuted"] < answer["words"] == len(village.run.vocabulary)


def test_the_answers_forget_sooner_than_the_map(answer: dict[str, Any]) -> None:
    early = next(point for point in answer["curve"] if point["step"] >= 8)
    before = answer["curve"][0]
    assert early["loss_first"] > 1.5 * before["loss_first"]
    assert early["purity_in_first"] > 0.8 * before["purity_in_first"]


def test_the_curve_is_dense_after_both_changes() -> None:
    steps = chosen_steps(600, 100)
    assert steps[:4] == [0, 1, 2, 4]
    assert {600, 601, 700} <= set(steps)
    assert 22 <= len(steps) <= 26
    assert steps == sorted(steps)
    # The course describes these points in words.
    assert [steps[place] for place in (8, 15, 20, -1)] == [30, 600, 614, 700]
    assert chosen_steps(10, 0)[-1] == 10
    assert chosen_steps(2_000, 1)[-2:] == [2_000, 2_001]


def test_without_classes_there_are_only_losses(village: Village, tmp_path: Path) -> None:
    found = ask(village.without_classes(tmp_path).examined(), steps=10, back=0)
    assert found["chance"] is None
    assert found["turned_back_at"] is None
    for point in found["curve"]:
        assert point["loss_first"] is not None
        assert {value for name, value in point.items() if name.startswith("purity")} == {None}
    assert found["home"]["purity_in"] is found["home"]["purity_out"] is None
    assert found["home"]["loss"]["mean"] is not None
    assert found["permuted"] > len(village.run.vocabulary) // 2


def test_the_model_stays_unchanged(village: Village) -> None:
    model = village.examined()
    before = [parameter.detach().clone() for parameter in model.learner.model.parameters()]
    first = ask(model, steps=10, back=2)
    assert all(map(torch.equal, before, model.learner.model.parameters()))
    assert ask(model, steps=10, back=2) == first
