"""The recipe of a recorded run, as far as a record knows it: of its model and its optimiser only the loop itself could tell."""

from __future__ import annotations

from typing import Literal

from lamplighter.recipe import MapRecipe, Recipe
from lamplighter.serving.schemas.base import ApiModel


class RecordedCorpus(ApiModel):
    """The text of a recorded run."""

    kind: Literal["recorded"] = "recorded"
    name: str
    """The name that its recorder gave it, untrusted."""


class RecordedModel(ApiModel):
    """The model of a recorded run."""

    dim: int


class RecordedCadence(ApiModel):
    """The cadence of a recorded run."""

    keyframe_every: int


class RecordedRecipe(ApiModel):
    """The recipe of a run that was recorded from a training loop of its own, or made of checkpoints."""

    corpus: RecordedCorpus
    model: RecordedModel
    cadence: RecordedCadence
    map: MapRecipe
    disk_budget: int


def describe_recipe(recipe: Recipe) -> Recipe | RecordedRecipe:
    """Return the recipe of a run as it is, or what is known of it if the run was recorded."""
    if recipe.corpus.kind != "recorded":
        return recipe
    return RecordedRecipe(
        corpus=RecordedCorpus(name=recipe.corpus.name),
        model=RecordedModel(dim=recipe.model.dim),
        cadence=RecordedCadence(keyframe_every=recipe.cadence.keyframe_every),
        map=recipe.map,
        disk_budget=recipe.disk_budget,
    )
