"""The loss on held-out text: correct, reproducible, and without effect on training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lamplighter.contract.recipe import ModelRecipe, Recipe
from lamplighter.model.batches import SAMPLE_TOKENS
from lamplighter.model.held_out import HeldOutLoss, split_by_frequency
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step

V, CONTEXT = 20, 8
RECIPE = Recipe(model=ModelRecipe(dim=8, heads=2, layers=1, context=CONTEXT), sequences=4, passages=2)
CPU = torch.device("cpu")


def text(length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, V, length).astype(np.uint32)


def test_is_the_mean_over_windows_that_cover_the_text() -> None:
    learner, ids = build_learner(RECIPE, V, CPU), text(3 * CONTEXT + 1)
    windows = torch.from_numpy(ids.astype(np.int64))
    with torch.no_grad():
        losses = [
            float(learner.model(windows[None, at : at + CONTEXT], windows[None, at + 1 : at + CONTEXT + 1]))
            for at in (0, CONTEXT, 2 * CONTEXT)
        ]
    assert HeldOutLoss(RECIPE, ids).measure(learner) == pytest.approx(np.mean(losses), rel=1e-5)


def test_samples_a_long_text_evenly_and_reproducibly() -> None:
    measured = HeldOutLoss(RECIPE, text(10 * SAMPLE_TOKENS))
    assert measured.predictions == SAMPLE_TOKENS
    learner = build_learner(RECIPE, V, CPU)
    assert measured.measure(learner) == measured.measure(learner)


@pytest.mark.parametrize("length", [0, 1, CONTEXT])
def test_a_text_shorter_than_a_window_has_no_loss(length: int) -> None:
    assert HeldOutLoss(RECIPE, text(length)).measure(build_learner(RECIPE, V, CPU)) is None


def test_a_loss_that_is_not_finite_is_missing() -> None:
    learner = build_learner(RECIPE, V, CPU)
    with torch.no_grad():
        learner.model.embedding.weight.fill_(float("inf"))
    assert HeldOutLoss(RECIPE, text(100)).measure(learner) is None


def test_measuring_does_not_change_training() -> None:
    ids, held_out = torch.from_numpy(text(80).astype(np.int64)).view(8, 10), HeldOutLoss(RECIPE, text(100))
    matrices: list[np.ndarray] = []
    for watched in (False, True):
        learner = build_learner(RECIPE, V, CPU)
        for _ in range(3):
            train_step(learner, ids[:, :CONTEXT], ids[:, 1 : CONTEXT + 1])
            if watched:
                held_out.measure(learner)
        matrices.append(learner.model.embedding.weight.detach().numpy().copy())
    assert np.array_equal(*matrices)


def test_the_loss_is_told_by_tenths_of_the_text() -> None:
    learner, ids = build_learner(RECIPE, V, CPU), text(3000)
    counts = np.arange(V, 0, -1).astype(np.uint32) ** 2
    held_out = HeldOutLoss(RECIPE, ids)
    measured = held_out.measure_by_frequency(learner, counts)
    assert measured is not None
    # Token 0 has 400 of the 2,870 words of the text: its middle is in the first tenth.
    tenth_of = [int(10 * (counts[:token].sum() + counts[token] / 2) / counts.sum()) for token in range(V)]
    assert tenth_of[0] == 0
    assert split_by_frequency(counts[::-1]).tolist() == tenth_of[::-1]
    sums: dict[int, list[float]] = {}
    with torch.no_grad():
        logits = learner.model.logits(held_out.windows[:, :-1]).log_softmax(-1)
    for window, scores in zip(held_out.windows.tolist(), logits.tolist(), strict=True):
        for target, row in zip(window[1:], scores, strict=True):
            sums.setdefault(tenth_of[target] + 1, []).append(-row[target])
    assert measured[1] == {
        f"loss_decile {n}": pytest.approx(np.mean(sums[n]), abs=1e-4) for n in sorted(sums)
    }
    assert measured[0] == pytest.approx(held_out.measure(learner))
