"""The memory of training estimated from a recipe, against measured trainers on a CPU."""

from __future__ import annotations

from typing import Any

import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.model.training_demands import estimate_demands

LAMPTOWN_TOKENS = 2_271


@pytest.mark.parametrize(
    ("changes", "peak"),
    [
        ({}, 387e6),
        ({"model": {"dim": 512, "layers": 6, "heads": 8, "context": 64}}, 896e6),
        ({"sequences": 64, "passages": 16, "model": {"dim": 256, "layers": 8, "context": 256}}, 3_322e6),
        ({"optimiser": {"kind": "adam"}, "model": {"dim": 1_024, "layers": 2}}, 989e6),
        ({"sequences": 128, "passages": 16, "model": {"context": 256}}, 1_569e6),
    ],
)
def test_memory_matches_measured_trainers(changes: dict[str, Any], peak: float) -> None:
    """The peaks are resident set sizes of `lamplighter train` on Lamptown for six steps."""
    demands = estimate_demands(Recipe.model_validate(changes), LAMPTOWN_TOKENS)
    assert 0.8 < demands.memory_bytes / peak < 1.25


def test_estimates_the_largest_recipe() -> None:
    largest = Recipe.model_validate(
        {
            "threads": 256,
            "sequences": 256,
            "passages": 256,
            "model": {"dim": 1_280, "layers": 64, "heads": 64, "context": 4_096},
        }
    )
    demands = estimate_demands(largest, 200_000)
    assert demands.threads == 256
    assert demands.memory_bytes > 1e12
