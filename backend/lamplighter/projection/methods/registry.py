"""The registry of layout methods, by the name that recipes and requests use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.layout_method import MapMethod, MapSettings
from lamplighter.recipe import MapMethodKind, MapRecipe
from lamplighter.wire.frames import Method

METHODS: dict[MapMethodKind, Method] = {"umap": Method.UMAP, "refit": Method.REFIT, "pca": Method.PCA}
"""The method that a layout on the wire names as its own."""


def settings_of(chosen: MapRecipe) -> MapSettings:
    """Return the settings that a recipe of the map selects."""
    return MapSettings(neighbours=chosen.neighbours, min_dist=chosen.min_dist, spread=chosen.spread)


def make_method(chosen: MapRecipe, places: NDArray[np.float32] | None = None) -> MapMethod:
    """Create a layout method that continues from the given positions, shape (V, 2), or starts from scratch.

    Imports UMAP where the method needs it, which takes seconds the first time.
    """
    settings = settings_of(chosen)
    match chosen.method:
        case "umap":
            from lamplighter.projection.methods.incremental_umap import LivingLayout

            return LivingLayout(settings, places)
        case "refit":
            from lamplighter.projection.methods.refit_umap import Refit

            return Refit(settings, places)
        case "pca":
            from lamplighter.projection.methods.pca import PrincipalMap

            return PrincipalMap(places)


def begun_over(chosen: MapRecipe, vectors: NDArray[np.float32], places: NDArray[np.float32]) -> MapMethod:
    """Create a layout method that replaces another: it starts from scratch, aligned to the other's layout.

    Args:
        chosen: the method and its settings.
        vectors: the embedding, shape (V, D).
        places: the other method's positions, shape (V, 2), in their own scale.
    """
    if chosen.method != "umap":
        return make_method(chosen, places)
    from lamplighter.projection.methods.refit_umap import laid_over

    anew = make_method(chosen).frame(vectors)
    made = make_method(chosen, laid_over(anew, places))
    made.remember(vectors)
    return made
