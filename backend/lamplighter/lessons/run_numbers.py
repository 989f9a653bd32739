"""Numbers of a run as a whole that the course names: sizes, the arithmetic of its steps by formula, and what it took."""

from __future__ import annotations

import math

from lamplighter.cost.run_cost import RunCost, cost_steps, read_run_cost
from lamplighter.geometry.nearest_by_chance import random_cosine_deviation
from lamplighter.recipe import Recipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsReader

OF_A_RUN: dict[str, str] = {
    "rows": "rows of the embedding, one for each word",
    "width": "columns of the embedding",
    "weights": "numbers of the embedding",
    "parameters": "numbers of the whole model",
    "batch_tokens": "words that a step predicts",
    "predictions": "words that all steps predicted",
    "random_cosine": "usual size of the cosine of two random rows",
    "guess_loss": "loss of guessing: the logarithm of the number of rows",
    "step_flops": "floating-point operations of a step, by formula",
    "product_flops": "floating-point operations of a step in products of matrices, by formula",
    "flops": "floating-point operations of all steps, by formula",
    "predicting_share": "part of a step's operations, the update left out, that the product with the output matrix takes",
    "six_nd_error": "error of the rule 6 N D with all parameters, relative to the products of matrices",
    "exaflop_runs": "how many such runs 10^18 operations are",
    "gpt3_runs": "how many such runs the published operations of GPT-3 are",
    "joules": "energy so far, as the run's method has it",
    "step_joules": "energy of a step",
}
"""Numbers of a run, by name, with what each is."""
_EXAFLOP = 1e18


def read_run_numbers(run: RunFolder) -> dict[str, float]:
    """Return the numbers of a run that has read its corpus, those that are known.

    Raises:
        FormatError: the run cannot be read.
    """
    recipe, rows = run.recipe, len(run.vocabulary)
    width = recipe.model.dim
    found: dict[str, float] = {
        "rows": rows,
        "width": width,
        "weights": rows * width,
        "random_cosine": random_cosine_deviation(width),
        "guess_loss": math.log(rows),
    }
    if recipe.corpus.kind != "recorded":
        found["batch_tokens"] = recipe.batch_tokens
        found["parameters"] = recipe.model.parameter_count(rows)
    try:
        with StepsReader(run.steps_path) as reader:
            steps = cost_steps(reader.newest_step()[1], recipe.cadence.keyframe_every)
            found |= _read_cost(recipe, read_run_cost(run, reader, steps))
    except FileNotFoundError:
        # It has not begun.
        pass
    return {name: float(value) for name, value in found.items()}


def _read_cost(recipe: Recipe, cost: RunCost) -> dict[str, float]:
    found: dict[str, float] = {}
    if (work := cost.work) is not None and cost.flops is not None and cost.tokens is not None:
        both = work.forward + work.backward
        output = "embedding" if recipe.model.tied else "unembedding"
        found |= {
            "predictions": cost.tokens,
            "step_flops": work.flops,
            "product_flops": work.products,
            "flops": cost.flops,
            "predicting_share": sum(one.forward + one.backward for one in work.layers if one.layer == output)
            / both,
            "six_nd_error": next(one.error for one in work.six_nd if one.counted == "all"),
        }
        if cost.flops:
            gpt3 = next(row for row in cost.scale if row.published and row.published.name == "GPT-3")
            found |= {"exaflop_runs": _EXAFLOP / cost.flops, "gpt3_runs": gpt3.flops / cost.flops}
    if cost.energy is not None:
        found["joules"] = cost.energy.spent.joules
        if cost.energy.computed:
            found["step_joules"] = cost.energy.spent.joules / cost.energy.computed
    return found
