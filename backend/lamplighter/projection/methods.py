"""The methods that can make the map, by the name a recipe or a request has for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.method import MapMethod, MapSettings
from lamplighter.recipe import MapMethodKind, MapRecipe
from lamplighter.wire.frames import Method

METHODS: dict[MapMethodKind, Method] = {"umap": Method.UMAP, "refit": Method.REFIT, "pca": Method.PCA}
"""What a layout says it was made by."""


def settings_of(chosen: MapRecipe) -> MapSettings:
    """What is chosen, as the methods take it."""
    return MapSettings(neighbours=chosen.neighbours, min_dist=chosen.min_dist, spread=chosen.spread)


def make_method(chosen: MapRecipe, places: NDArray[np.float32] | None = None) -> MapMethod:
    """A method that goes on from where the tokens lie, shape (V, 2), or begins anew.

    Imports UMAP where the method needs it: the first time that takes seconds.
    """
    settings = settings_of(chosen)
    match chosen.method:
        case "umap":
            from lamplighter.projection.living_layout import LivingLayout

            return LivingLayout(settings, places)
        case "refit":
            from lamplighter.projection.refit import Refit

            return Refit(settings, places)
        case "pca":
            from lamplighter.projection.pca import PrincipalMap

            return PrincipalMap(places)


def begun_over(chosen: MapRecipe, vectors: NDArray[np.float32], places: NDArray[np.float32]) -> MapMethod:
    """A method that takes over from another: it begins anew, turned to lie over what that one drew.

    Args:
        chosen: the method, and how it draws.
        vectors: the space, shape (V, D).
        places: what was drawn by the other one, shape (V, 2), in a scale of its own.
    """
    if chosen.method != "umap":
        return make_method(chosen, places)
    from lamplighter.projection.refit import laid_over

    anew = make_method(chosen).frame(vectors)
    made = make_method(chosen, laid_over(anew, places))
    made.remember(vectors)
    return made
