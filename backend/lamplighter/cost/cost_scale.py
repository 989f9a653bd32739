"""The cost of larger models, extrapolated from one run: their arithmetic times the joules per operation measured here.

Only their arithmetic is computed. On other machines an operation takes orders of magnitude less energy, as the
published figures of the reference models show (`reference_models.json`, with sources).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.contract.recipe import Recipe
from lamplighter.cost.step_work import describe_step_work

_SECONDS_PER_HOUR = 3_600


@dataclass(frozen=True)
class PublishedFigures(DocumentedRecord):
    """Published figures of a model, from its makers or from studies."""

    name: str
    year: int
    parameters: int
    tokens: int
    """Tokens of its training."""
    source: str
    url: str
    flops: float | None
    """Floating-point operations of its training, if the source states them."""
    joules: float | None
    """Energy of its training, if stated directly or as GPU hours and power."""
    energy_source: str | None
    energy_url: str | None


@cache
def reference_models() -> tuple[PublishedFigures, ...]:
    """Return the models in ascending order of arithmetic."""
    text = (
        resources.files(__package__ or "lamplighter.cost")
        .joinpath("reference_models.json")
        .read_text("utf-8")
    )
    return tuple(_describe(entry) for entry in json.loads(text))


def _describe(entry: dict[str, Any]) -> PublishedFigures:
    watt_hours = None
    if "megawatt_hours" in entry:
        watt_hours = 1e6 * entry["megawatt_hours"]
    elif "gpu_hours" in entry:
        watt_hours = float(entry["gpu_hours"] * entry["watts"])
    return PublishedFigures(
        name=entry["name"],
        year=entry["year"],
        parameters=int(entry["parameters"]),
        tokens=int(entry["tokens"]),
        source=entry["source"],
        url=entry["url"],
        flops=entry.get("flops"),
        joules=None if watt_hours is None else _SECONDS_PER_HOUR * watt_hours,
        energy_source=entry.get("energy_source"),
        energy_url=entry.get("energy_url"),
    )


LARGER_VOCABULARY, LARGER_DIM = 50_000, 1_024
"""The usual textbook example of an embedding: 51,200,000 numbers."""


@dataclass(frozen=True)
class ScaleRow(DocumentedRecord):
    """A training with its actual or estimated cost."""

    kind: Literal["run", "larger", "model"]
    """This `run`, with all steps computed since energy was measured; the same steps with an embedding of 50,000 x 1,024
    (`larger`); or a published `model`."""
    parameters: int
    tokens: int
    flops: float
    flops_basis: Literal["formula", "6ND"]
    joules: float | None
    joules_basis: Literal["measured", "estimated", "extrapolated"]
    published: PublishedFigures | None


def scale_cost(
    recipe: Recipe,
    vocabulary: int,
    rows: float | None,
    steps: int,
    joules: float | None,
    joules_basis: Literal["measured", "estimated"],
) -> list[ScaleRow]:
    """Return rows for the run, the larger one, and published models, of which 6 N D operations with all parameters are
    counted. `rows`: the mean rows of the embedding with a gradient in a step; None if unknown. `steps`: those with known
    energy, each as often as it was computed; `joules`: their energy, the basis of all others.
    """
    work = describe_step_work(recipe, vocabulary, rows)
    flops = steps * work.flops
    per_flop = None if joules is None or not flops else joules / flops

    def extrapolate(operations: float) -> float | None:
        return None if per_flop is None else per_flop * operations

    larger = _enlarge(recipe)
    larger_work = describe_step_work(larger, LARGER_VOCABULARY, rows)
    larger_flops = float(steps * larger_work.flops)
    tokens = steps * recipe.batch_tokens
    found = [
        ScaleRow("run", work.parameters, tokens, float(flops), "formula", joules, joules_basis, None),
        ScaleRow(
            "larger",
            larger_work.parameters,
            tokens,
            larger_flops,
            "formula",
            extrapolate(larger_flops),
            "extrapolated",
            None,
        ),
    ]
    for model in reference_models():
        operations = 6.0 * model.parameters * model.tokens
        found.append(
            ScaleRow(
                "model",
                model.parameters,
                model.tokens,
                operations,
                "6ND",
                extrapolate(operations),
                "extrapolated",
                model,
            )
        )
    return found


def _enlarge(recipe: Recipe) -> Recipe:
    # The number of heads must divide the width; it hardly changes the arithmetic. The copy is not validated, since it
    # is never trained.
    model = recipe.model.model_copy(
        update={"dim": LARGER_DIM, "heads": math.gcd(recipe.model.heads, LARGER_DIM)}
    )
    return recipe.model_copy(update={"model": model})
