"""The cost of larger models by the energy of one run: their arithmetic, at the joules that an operation took here.

Only the arithmetic of the others is computed. Their joules are extrapolated: on other machines an operation costs less by
orders of magnitude, which the published figures beside them show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lamplighter.cost.reference_models import PublishedFigures, reference_models
from lamplighter.cost.step_work import describe_step_work
from lamplighter.recipe import Recipe

LARGER_VOCABULARY, LARGER_DIM = 50_000, 1_024
"""The embedding that texts about language models have as their example: 51,200,000 numbers."""


@dataclass(frozen=True)
class ScaleRow:
    """A training, and what it took or would take."""

    kind: Literal["run", "larger", "model"]
    """This `run`; the same steps with the `larger` embedding and its width; or a `model` of the field."""
    parameters: int
    tokens: int
    flops: float
    """Operations of the training: of the run and the larger one by formula, of a model 6 N D with all parameters."""
    joules: float | None
    """Energy of the run as its method has it, of the others extrapolated: what so many operations would take here; None
    where that of the run is not known."""
    published: PublishedFigures | None
    """A model's figures, with their sources."""


def scale_cost(
    recipe: Recipe, vocabulary: int, rows: float | None, steps: int, joules: float | None
) -> list[ScaleRow]:
    """Return the run with `steps`, the larger one, and models of the field.

    Args:
        recipe: the recipe of a run that is trained here.
        vocabulary: V, the number of tokens.
        rows: rows of the embedding with a gradient in a step, the mean; None if not known.
        steps: steps of which the energy is known, each as often as it was computed.
        joules: the energy that these took; None if not known.
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
        ScaleRow("run", work.parameters, tokens, float(flops), joules, None),
        ScaleRow("larger", larger_work.parameters, tokens, larger_flops, extrapolate(larger_flops), None),
    ]
    for model in reference_models():
        operations = 6.0 * model.parameters * model.tokens
        found.append(
            ScaleRow("model", model.parameters, model.tokens, operations, extrapolate(operations), model)
        )
    return found


def _enlarge(recipe: Recipe) -> Recipe:
    # The number of heads must divide the width; it hardly changes the arithmetic. Not validated anew: it is not to be trained.
    model = recipe.model.model_copy(
        update={"dim": LARGER_DIM, "heads": math.gcd(recipe.model.heads, LARGER_DIM)}
    )
    return recipe.model_copy(update={"model": model})
