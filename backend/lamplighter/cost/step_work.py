"""The work of one training step by formula: floating-point operations, their rule of thumb, and bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.contract.recipe import Recipe
from lamplighter.model.flops import OPTIMISER_COSTS, count_step_flops, count_update_bytes, list_operations

CountedParameters = Literal["all", "without_input_table", "without_tables"]


@dataclass(frozen=True)
class LayerFlops(DocumentedRecord):
    """The floating-point operations of one layer in a step."""

    layer: str
    forward: int
    backward: int


@dataclass(frozen=True)
class SixNd(DocumentedRecord):
    """The rule of thumb 6 N D (Kaplan et al. 2020, arXiv 2001.08361) for a step of D tokens, with one definition of
    N."""

    counted: CountedParameters
    """`all` parameters; `without_input_table`, which is only a lookup; or `without_tables`: without the tables of
    input, output and positions, as in Kaplan et al."""
    parameters: int
    flops: int
    error: float
    """Relative error against the matrix products of the step, forward and backward."""


@dataclass(frozen=True)
class UpdateBytes(DocumentedRecord):
    """The memory traffic of updating the embedding in a step: rows x D x 4 bytes x (1 + 2 x arrays). The gradient is
    read; each array is read and written."""

    rows: int
    """Updated rows: the mean of sampled steps, or all."""
    arrays: int
    """Numbers kept for each weight: the weight and, with Adam, two moving averages."""
    touched: int
    whole: int
    """Bytes of updating the whole matrix."""


@dataclass(frozen=True)
class StepWork(DocumentedRecord):
    """The work of one step."""

    parameters: int
    tokens: int
    """Predictions in a step."""
    forward: int
    """Floating-point operations, as in `backward` and `update`."""
    backward: int
    update: int | None
    """Clipping and the optimiser; null until a step shows the number of updated rows."""
    products: int
    """The part of `forward` and `backward` in matrix products."""
    product_count: int
    """Number of matrix products, forward and backward; one over all sequences and heads counts once."""
    product_count_apart: int
    """The same, but counting each sequence and head in attention separately."""
    layers: list[LayerFlops]
    six_nd: list[SixNd]
    update_bytes: UpdateBytes | None

    @property
    def flops(self) -> int:
        """Return all floating-point operations of the step."""
        return self.forward + self.backward + (self.update or 0)


def describe_step_work(recipe: Recipe, vocabulary: int, rows: float | None) -> StepWork:
    """Return the work of a step.

    Args:
        recipe: the recipe of a run that is trained here.
        vocabulary: V, the number of tokens.
        rows: mean rows of the embedding with a gradient over steps; None if not known yet.
    """
    model, kind = recipe.model, recipe.optimiser.kind
    whole = kind == "adam" or model.tied
    updated = vocabulary if whole else None if rows is None else round(rows)
    counted = count_step_flops(recipe, vocabulary, updated or 0)
    products = counted.forward_products + counted.backward_products
    update_bytes = None
    if updated is not None:
        touched, every = (count_update_bytes(kind, rows * model.dim) for rows in (updated, vocabulary))
        update_bytes = UpdateBytes(updated, OPTIMISER_COSTS[kind].arrays, touched, every)
    layers: dict[str, tuple[int, int]] = {}
    product_count = apart = 0
    for operation in list_operations(model, vocabulary, recipe.sequences):
        # The backward pass has two for each: one for the gradient of each factor.
        product_count += 3 * operation.is_product
        apart += 3 * operation.pairs
        forward, backward = layers.get(operation.layer, (0, 0))
        layers[operation.layer] = (forward + operation.forward, backward + operation.backward)
    return StepWork(
        parameters=model.parameter_count(vocabulary),
        tokens=recipe.batch_tokens,
        forward=counted.forward,
        backward=counted.backward,
        update=None if updated is None else counted.update,
        products=products,
        product_count=product_count,
        product_count_apart=apart,
        layers=[LayerFlops(layer, *both) for layer, both in layers.items()],
        six_nd=_read_six_nd(recipe, vocabulary, products),
        update_bytes=update_bytes,
    )


def _read_six_nd(recipe: Recipe, vocabulary: int, products: int) -> list[SixNd]:
    model = recipe.model
    every, table = model.parameter_count(vocabulary), vocabulary * model.dim
    readings: list[tuple[CountedParameters, int]] = [("all", every)]
    if not model.tied:
        readings.append(("without_input_table", every - table))
    tables = table if model.tied else 2 * table
    readings.append(("without_tables", every - tables - model.context * model.dim))
    found: list[SixNd] = []
    for counted, parameters in readings:
        flops = 6 * parameters * recipe.batch_tokens
        found.append(SixNd(counted, parameters, flops, flops / products - 1))
    return found
