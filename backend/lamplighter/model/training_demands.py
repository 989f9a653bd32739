"""An estimate of the resources for training a recipe."""

from __future__ import annotations

from dataclasses import dataclass

from lamplighter.contract.reason import Reason, give_reason
from lamplighter.contract.recipe import Recipe

_FLOAT_BYTES = 4
_LIBRARY_BYTES = 350_000_000
"""Memory of a trainer without a model: Python, torch and their libraries."""
_WIDTHS_PER_LAYER = 18
"""Vectors of the model's width that a block keeps per token for the backward pass."""
_LOGIT_COPIES = 3
"""Logits, their logarithms and their gradients exist at once."""


@dataclass(frozen=True)
class TrainingDemands:
    """The resources that training takes."""

    threads: int
    parameters: int
    memory_bytes: int
    """Estimated for a CPU; a GPU holds most of it in its own memory."""


def estimate_demands(recipe: Recipe, vocabulary: int) -> TrainingDemands:
    """Estimate the resources for training a recipe with a vocabulary of `vocabulary` tokens."""
    model = recipe.model
    parameters = model.parameter_count(vocabulary)
    # Weights, gradients and, for Adam, two moments.
    states = 2 if recipe.optimiser.kind == "sgd" else 4
    observed = vocabulary * model.dim
    by_token = _WIDTHS_PER_LAYER * model.layers * model.dim + _LOGIT_COPIES * model.predicted_rows(
        vocabulary, recipe.batch_tokens
    )
    numbers = states * parameters + observed + recipe.batch_tokens * by_token
    return TrainingDemands(recipe.threads, parameters, _LIBRARY_BYTES + _FLOAT_BYTES * numbers)


def describe_demands(recipe: Recipe, vocabulary: int) -> str:
    """Return the resources for training a recipe in words: threads, memory, layers."""
    demands = estimate_demands(recipe, vocabulary)
    threads = f"{demands.threads} CPU thread{'s' if demands.threads > 1 else ''}"
    layers = f"{recipe.model.layers} layer{'s' if recipe.model.layers > 1 else ''}"
    return (
        f"{threads} and about {demands.memory_bytes / 1e6:,.0f} MB of memory: {layers} of width {recipe.model.dim},"
        f" {demands.parameters:,} parameters, batches of {recipe.batch_tokens:,} tokens"
    )


def explain_demands(recipe: Recipe, vocabulary: int) -> Reason:
    """Return the same resources as a reason to confirm them first."""
    demands = estimate_demands(recipe, vocabulary)
    return give_reason(
        "imported_run_takes",
        threads=demands.threads,
        megabytes=demands.memory_bytes / 1e6,
        layers=recipe.model.layers,
        width=recipe.model.dim,
        parameters=demands.parameters,
        tokens=recipe.batch_tokens,
    )
