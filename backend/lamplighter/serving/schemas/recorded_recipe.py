"""The recipe of a recorded run, without the model and the optimiser, which only the loop knows."""

from __future__ import annotations

from typing import Literal

from lamplighter.contract.recipe import MapRecipe, Recipe
from lamplighter.serving.schemas.base import ApiModel


class RecordedCorpus(ApiModel):
    """The text of a recorded run."""

    kind: Literal["recorded"] = "recorded"
    name: str
    """The name given by its recorder, untrusted."""


class RecordedModel(ApiModel):
    """The model of a recorded run."""

    dim: int


class RecordedCadence(ApiModel):
    """The cadence of a recorded run."""

    keyframe_every: int


class RecordedRecipe(ApiModel):
    """The recipe of a run that was recorded from an external training loop, or made of checkpoints."""

    corpus: RecordedCorpus
    model: RecordedModel
    cadence: RecordedCadence
    map: MapRecipe
    disk_budget: int


def describe_recipe(recipe: Recipe) -> Recipe | RecordedRecipe:
    """Return the recipe of a run, or its known part if the run was recorded."""
    if recipe.corpus.kind != "recorded":
        return recipe
    return RecordedRecipe(
        corpus=RecordedCorpus(name=recipe.corpus.name),
        model=RecordedModel(dim=recipe.model.dim),
        cadence=RecordedCadence(keyframe_every=recipe.cadence.keyframe_every),
        map=recipe.map,
        disk_budget=recipe.disk_budget,
    )
