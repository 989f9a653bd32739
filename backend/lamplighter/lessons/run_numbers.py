"""Numbers of a whole run that the course names: sizes, operations per step by formula, and costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lamplighter.contract.recipe import Recipe
from lamplighter.cost.run_cost import CostPoint, RunCost, cost_steps, read_run_cost
from lamplighter.geometry.neighbours import random_cosine_deviation
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader

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
    "products": "products of matrices in a step, forward and backward, counting one for all sequences and heads",
    "products_apart": "the same, counting one for each sequence and head",
    "layers": "layers between the two tables",
    "update_share": "part of a step's operations that clipping and the optimiser take",
    "predicting_share": "part of a step's operations, the update left out, that the product with the output matrix takes",
    "six_nd_error": "error of the rule 6 N D with all parameters, relative to the products of matrices",
    "exaflop_runs": "how many such runs 10^18 operations are",
    "gpt3_runs": "how many such runs the published operations of GPT-3 are",
    "gpt3_scaled_megawatt_hours": "energy of the run, scaled up to GPT-3 by the operations",
    "gpt3_energy_ratio": "the same, relative to the published energy of GPT-3",
    "joules": "energy so far, as the run's method has it",
    "step_joules": "energy of a step",
    "half_step": "first step with a known order at which half of the cost was spent",
    "first_half_bits": "bits of order that the first half of the cost bought",
    "second_half_bits": "bits of order that the second half bought",
    "second_half_share": "part of all bits of order that the second half bought",
    "half_unread_loss": "loss on unread text when half of the cost was spent",
    "unread_loss": "loss on unread text at the newest step where it is known",
}
"""Numbers of a run, by name, with a description of each."""
_EXAFLOP = 1e18
_MEGAWATT_HOUR = 3.6e9
"""Joules."""
_MIN_POINTS = 3
"""Minimum points for a curve to have halves."""


def read_run_numbers(run: RunFolder) -> dict[str, float]:
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
        found["layers"] = recipe.model.layers
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
            "products": work.product_count,
            "products_apart": work.product_count_apart,
            "predicting_share": sum(one.forward + one.backward for one in work.layers if one.layer == output)
            / both,
            "six_nd_error": next(one.error for one in work.six_nd if one.counted == "all"),
        }
        if work.update is not None:
            found["update_share"] = work.update / work.flops
        if cost.flops:
            gpt3 = next(row for row in cost.scale if row.published and row.published.name == "GPT-3")
            published = gpt3.published
            found |= {
                "exaflop_runs": _EXAFLOP / cost.flops,
                "gpt3_runs": ((published and published.flops) or gpt3.flops) / cost.flops,
            }
            if gpt3.joules is not None and published and published.joules:
                found |= {
                    "gpt3_scaled_megawatt_hours": gpt3.joules / _MEGAWATT_HOUR,
                    "gpt3_energy_ratio": gpt3.joules / published.joules,
                }
    if cost.energy is not None:
        found["joules"] = cost.energy.spent.joules
        if cost.energy.spent.steps:
            found["step_joules"] = cost.energy.spent.joules / cost.energy.spent.steps
    return found | _read_halves(cost.curve)


def _read_halves(curve: Sequence[CostPoint]) -> dict[str, float]:
    """Return what each half of the cost bought: in joules, or in operations if energy is unknown."""
    joules = sum(point.joules is not None for point in curve) > 1
    known = [
        (spent, point)
        for point in curve
        if (spent := point.joules if joules else point.flops) is not None and point.bits is not None
    ]
    found: dict[str, float] = {}
    if len(known) >= _MIN_POINTS:
        half = known[-1][0] / 2
        middle = next(point for spent, point in known if spent >= half)
        start, at_half, end = (point.bits or 0.0 for point in (known[0][1], middle, known[-1][1]))
        found |= {
            "half_step": middle.step,
            "first_half_bits": at_half - start,
            "second_half_bits": end - at_half,
        }
        if end > start:
            found["second_half_share"] = (end - at_half) / (end - start)
        if middle.held_out_loss is not None:
            found["half_unread_loss"] = middle.held_out_loss
    unread = [point.held_out_loss for point in curve if point.held_out_loss is not None]
    return found | ({"unread_loss": unread[-1]} if unread else {})
