"""The kind *bench*: three sets of rows that are equal under lazy updates, and differ under every
other rule.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
import torch

from lamplighter.contract.questions import BenchQuestion
from lamplighter.examination.examined_model import CancelledError
from lamplighter.examination.kinds import bench
from lamplighter.examination.kinds.bench import MAX_DISTANCES, RULES, examine
from tests.support.village import Village, ignore_progress, stored

STEPS = 6


def small_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the large matrix by a small one."""
    monkeypatch.setattr(bench, "ROWS", 400)
    monkeypatch.setattr(bench, "WIDTH", 8)


@pytest.fixture(scope="module")
def answer(village: Village) -> dict[str, Any]:
    """Return an answer about the batches after step 20."""
    with pytest.MonkeyPatch.context() as patch:
        small_matrix(patch)
        return stored(examine(village.examined(0), BenchQuestion(step=20, steps=STEPS), ignore_progress))


def ids_of(recipe: dict[str, Any], name: str) -> list[int]:
    bits = np.frombuffer(base64.b64decode(recipe["sets"][name]), np.uint8)
    return np.flatnonzero(np.unpackbits(bits, bitorder="little")).tolist()


def test_the_three_sets_are_equal_under_lazy_updates_and_differ_otherwise(
    village: Village, answer: dict[str, Any]
) -> None:
    recipes = {recipe["name"]: recipe for recipe in answer["recipes"]}
    assert tuple(recipes) == RULES
    rows = len(village.run.vocabulary)
    batch, gradient, moved = (
        {name: recipe[f"{of}_rows"] for name, recipe in recipes.items()}
        for of in ("batch", "gradient", "moved")
    )
    read = batch["lazy"]
    assert set(batch.values()) == {read}
    assert 0 < read < rows
    assert gradient == {"lazy": read, "adam": read, "decay": read, "tied": rows}
    assert moved["lazy"] == read
    # Sleepers drift on momentum, and shrink under decay even if never read.
    assert read < moved["adam"] <= rows
    assert moved["decay"] == moved["tied"] == rows
    for recipe in recipes.values():
        assert len(recipe["counts"]) == len(recipe["losses"]) == STEPS
        assert recipe["counts"][-1] == [recipe[f"{of}_rows"] for of in ("batch", "gradient", "moved")]
        assert recipe["losses"][-1] < recipe["losses"][0]
        assert recipe["update_ms"] < recipe["step_ms"]
        for name in ("update_ms", "step_ms"):
            low, high = recipe[f"{name}_quartiles"]
            assert 0 < low <= recipe[name] <= high
            assert low < high


def test_a_dense_rule_first_moves_only_the_rows_of_the_first_batch(answer: dict[str, Any]) -> None:
    first = {recipe["name"]: recipe["counts"][0] for recipe in answer["recipes"]}
    assert first["adam"] == first["lazy"]
    assert first["decay"][2] > first["decay"][1]


def test_bitmaps_have_the_rows_of_the_batch_and_distances_those_that_moved(
    village: Village, answer: dict[str, Any]
) -> None:
    host_ids, _, _ = village.examined(0).batches.batch(20 + STEPS)
    for recipe in answer["recipes"]:
        assert ids_of(recipe, "batch") == np.unique(host_ids).tolist()
        distances = recipe["sets"]["distances"]
        assert ids_of(recipe, "moved") == np.flatnonzero(distances).tolist()
        assert len(distances) == len(village.run.vocabulary) <= MAX_DISTANCES


def test_the_rules_match_the_training_optimisers(village: Village, answer: dict[str, Any]) -> None:
    """The lazy training is the run's own: with its recipe and the first batches, it gives the recorded
    losses.
    """
    with pytest.MonkeyPatch.context() as patch:
        small_matrix(patch)
        own = examine(village.examined(0), BenchQuestion(step=0, steps=2), ignore_progress).recipes[0]
    learner, losses = village.learner(0), list[float]()
    for number in (1, 2):
        _, ids, targets = village.examined(0).batches.batch(number)
        losses.append(float(learner.model(ids, targets).detach()))
        learner = village.learner(number)
    assert own.losses == pytest.approx(losses, rel=1e-5)
    assert own.losses != answer["recipes"][0]["losses"][:2]


def test_costs_cover_the_touched_rows_and_all(village: Village, answer: dict[str, Any]) -> None:
    rows, width = answer["rows"], answer["width"]
    assert (rows, width) == (len(village.run.vocabulary), village.run.recipe.model.dim)
    for recipe in answer["recipes"]:
        assert recipe["bytes"]["whole"] == 7 * 4 * rows * width
        for cost in (recipe["bytes"], recipe["flops"]):
            assert cost["touched"] * rows == cost["whole"] * recipe["gradient_rows"]
    assert [recipe["updates"] for recipe in answer["recipes"]] == ["touched", "whole", "whole", "whole"]


def test_a_large_matrix_is_measured_if_it_fits(
    answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    large = answer["large"]
    assert answer["large_reason"] is None
    assert large["touched_ms"] > 0
    assert large["whole_ms"] > 0
    for name in ("touched_ms", "whole_ms"):
        low, high = large[f"{name}_quartiles"]
        assert 0 < low <= large[name] <= high
    assert large["touched_flops"] < large["whole_flops"]
    monkeypatch.setattr(bench, "available_memory", lambda: 1_000_000)
    none, reason = bench.measure_large_embedding(512, lambda _share: None)
    assert none is None
    assert reason is not None
    assert "50,000 rows takes 1.2 GB" in reason


def test_cancelling_between_two_steps_restores_the_threads(village: Village) -> None:
    reports: list[float] = []

    def cancel(share: float, activity: str) -> None:
        reports.append(share)
        if len(reports) == 3:
            raise CancelledError

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(CancelledError):
            examine(village.examined(0), BenchQuestion(step=0, steps=10), cancel)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert reports == sorted(reports)
