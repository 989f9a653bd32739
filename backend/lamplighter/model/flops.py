"""Floating-point operations of a training step, computed by formula for each operation of the forward pass.

A matrix product of (m, k) and (k, n) takes 2 m n k operations: each of its m n results sums k products. This is the
usual convention, and torch's counter agrees exactly. It includes a bias, since k products take only k - 1 additions. In
the backward pass a product becomes two of the same size, one for each factor.

All other operations count one for each addition, multiplication, division, comparison, root, exponential, logarithm and
error function in their formula. torch's counter omits these and, on a CPU, also attention, whose kernel it does not
know.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lamplighter.contract.recipe import ModelRecipe, OptimiserKind, Recipe

NUMBER_BYTES = 4
"""Bytes of a weight, a gradient or an average: all are float32."""
CLIP_FLOPS = 3
"""Operations of clipping: a square and a sum for the norm of all gradients, then the scale."""


class OptimiserCost(NamedTuple):
    """The cost of one optimiser for each updated number."""

    arrays: int
    """Numbers kept between steps: the weight and, for Adam, both moving averages."""
    flops: int
    """Floating-point operations of torch's formula, including divisions and roots but not clipping."""


OPTIMISER_COSTS: dict[OptimiserKind, OptimiserCost] = {
    # SparseAdam: m += (1 - b1)(g - m), 3; v += (1 - b2)(g g - v), 4; w += s m / (sqrt(v) + e), 5. s holds both corrections.
    "lazy": OptimiserCost(arrays=3, flops=12),
    # Adam (Kingma and Ba 2015, arXiv 1412.6980): as above, and the root is divided by its correction.
    "adam": OptimiserCost(arrays=3, flops=13),
    # w += s g.
    "sgd": OptimiserCost(arrays=1, flops=2),
}


def count_update_flops(kind: OptimiserKind, numbers: int) -> int:
    """Count the floating-point operations of clipping and updating `numbers` numbers."""
    return (CLIP_FLOPS + OPTIMISER_COSTS[kind].flops) * numbers


def count_update_bytes(kind: OptimiserKind, numbers: int) -> int:
    """Count the bytes of memory that updating `numbers` numbers reads and writes: it reads the gradient, and reads and
    writes every array. Excludes clipping."""
    return (1 + 2 * OPTIMISER_COSTS[kind].arrays) * NUMBER_BYTES * numbers


Dimensions = tuple[int, ...]

# Operations by number of the output, forward and backward.
_NORM = (7, 13)
"""Mean, deviation, division by it, scale and shift. Backward: three sums, and the gradients of both weights."""
_GELU = (5, 11)
"""x (1 + erf(x / sqrt 2)) / 2. Backward: its derivative, an error function and an exponential."""
_ATTENTION_SOFTMAX = (6, 5)
"""Scale, maximum, difference, exponential, sum, division."""
_CROSS_ENTROPY = (4, 4)
"""Maximum, difference, exponential, sum. Backward: the probability again, less 1 for the true token, divided by the
number of predictions."""
_WEIGHTS = (1, 0)
"""An addition of constants."""
_SUM = (1, 1)
"""An addition. Backward: the gradients of both branches meet."""


@dataclass(frozen=True)
class Operation:
    """An operation of the forward pass on a whole batch."""

    name: str
    layer: str
    """The displayed layer (`Transformer.layers`) that it belongs to; "loss" after the last."""
    inputs: tuple[Dimensions, ...]
    output: Dimensions
    is_product: bool
    """True for a product of matrices, batched or not."""
    forward: int
    """Floating-point operations."""
    backward: int
    """Floating-point operations of its backward pass."""

    @property
    def pairs(self) -> int:
        """Return the number of matrix pairs: one per sequence and head in attention, one for a weight matrix."""
        return math.prod(self.inputs[1][:-2]) if self.is_product else 0


@dataclass(frozen=True)
class StepFlops:
    """The floating-point operations of one training step."""

    forward: int
    backward: int
    update: int
    """Clipping and the optimiser."""
    forward_products: int
    """The part of `forward` in matrix products."""
    backward_products: int
    """The part of `backward` in matrix products."""


def list_operations(model: ModelRecipe, vocabulary: int, sequences: int) -> list[Operation]:
    """Return the operations of the forward pass of B sequences with V tokens, including the loss, in order of
    computation.
    """
    t, d = model.context, model.dim
    tokens, stream = (sequences, t), (sequences, t, d)
    operations = [
        _copy_rows("embedding lookup", "embedding", tokens, (vocabulary, d)),
        _by_element("addition of positions", "positions", (stream, (t, d)), stream, _SUM),
    ]
    for number in range(1, model.layers + 1):
        operations += _attention_operations(model, f"block {number} attention", sequences)
        operations += _mlp_operations(model, f"block {number} mlp", sequences)
    rows = model.predicted_rows(vocabulary, sequences * t)
    logits = (sequences, t, rows)
    operations.append(_by_element("layer norm", "final norm", (stream,), stream, _NORM))
    if model.negatives is not None:
        operations.append(_copy_rows("lookup of drawn rows", "unembedding", (rows,), (vocabulary, d)))
    operations.append(
        _multiply("unembedding", "embedding" if model.tied else "unembedding", stream, (d, rows))
    )
    if model.negatives is not None:
        operations.append(
            _by_element("addition of the draws' weights", "loss", (logits, (rows,)), logits, _WEIGHTS)
        )
    operations.append(
        _by_element("softmax and cross-entropy", "loss", (logits, tokens), (), _CROSS_ENTROPY, logits)
    )
    return operations


def count_step_flops(recipe: Recipe, vocabulary: int, rows: int) -> StepFlops:
    """Count the floating-point operations of a step. `rows`: the rows of the embedding with a gradient;
    ignored if the gradient is dense. Of an output matrix of which a step reads a sample, all rows read
    count as updated, also those that were drawn twice.
    """
    model, kind = recipe.model, recipe.optimiser.kind
    operations = list_operations(model, vocabulary, recipe.sequences)
    products = [operation for operation in operations if operation.is_product]
    numbers = model.parameter_count(vocabulary)
    if kind != "adam" and not model.tied:
        predicted = model.predicted_rows(vocabulary, recipe.batch_tokens)
        numbers -= (vocabulary - rows) * model.dim + max(0, vocabulary - predicted) * model.dim
    return StepFlops(
        forward=sum(operation.forward for operation in operations),
        backward=sum(operation.backward for operation in operations),
        update=count_update_flops(kind, numbers),
        forward_products=sum(operation.forward for operation in products),
        backward_products=sum(operation.backward for operation in products),
    )


def count_softmax_flops(dim: int, vocabulary: int, predictions: int) -> int:
    """Count the floating-point operations, forward and backward, of unembedding, softmax and cross-entropy."""
    product = 3 * 2 * predictions * dim * vocabulary
    return product + sum(_CROSS_ENTROPY) * predictions * vocabulary


def _attention_operations(model: ModelRecipe, layer: str, sequences: int) -> Iterator[Operation]:
    """Yield the operations of attention. The whole square is computed and counted, not only the causal triangle."""
    t, d, heads = model.context, model.dim, model.heads
    stream = (sequences, t, d)
    by_head, keys = (sequences, heads, t, d // heads), (sequences, heads, d // heads, t)
    weights = (sequences, heads, t, t)
    yield _by_element("layer norm", layer, (stream,), stream, _NORM)
    yield _multiply("query, key and value product", layer, stream, (d, 3 * d))
    yield _multiply("attention: queries by keys", layer, by_head, keys)
    yield _by_element("attention: softmax", layer, (weights,), weights, _ATTENTION_SOFTMAX)
    yield _multiply("attention: weights by values", layer, weights, by_head)
    yield _multiply("projection", layer, stream, (d, d))
    yield _by_element("addition to the stream", layer, (stream, stream), stream, _SUM)


def _mlp_operations(model: ModelRecipe, layer: str, sequences: int) -> Iterator[Operation]:
    d = model.dim
    stream, hidden = (sequences, model.context, d), (sequences, model.context, 4 * d)
    yield _by_element("layer norm", layer, (stream,), stream, _NORM)
    yield _multiply("widen", layer, stream, (d, 4 * d))
    yield _by_element("GELU", layer, (hidden,), hidden, _GELU)
    yield _multiply("narrow", layer, hidden, (4 * d, d))
    yield _by_element("addition to the stream", layer, (stream, stream), stream, _SUM)


def _copy_rows(name: str, layer: str, tokens: Dimensions, table: Dimensions) -> Operation:
    """Return a lookup. It computes nothing forward; backward it sums the gradients of equal tokens."""
    output = (*tokens, table[1])
    return Operation(
        name, layer, (tokens, table), output, is_product=False, forward=0, backward=math.prod(output)
    )


def _by_element(
    name: str,
    layer: str,
    inputs: tuple[Dimensions, ...],
    output: Dimensions,
    costs: tuple[int, int],
    counted: Dimensions | None = None,
) -> Operation:
    """Return an operation with the given costs, forward and backward, per number of `counted`, or of the output."""
    numbers = math.prod(output if counted is None else counted)
    return Operation(
        name, layer, inputs, output, is_product=False, forward=costs[0] * numbers, backward=costs[1] * numbers
    )


def _multiply(name: str, layer: str, left: Dimensions, right: Dimensions) -> Operation:
    """Return the product of (..., m, k) and (..., k, n)."""
    output = (*left[:-1], right[-1])
    forward = 2 * math.prod(output) * left[-1]
    return Operation(
        name, layer, (left, right), output, is_product=True, forward=forward, backward=2 * forward
    )
