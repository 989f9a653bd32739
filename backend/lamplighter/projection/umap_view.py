"""The map of a run: incremental UMAP with the run's settings, from scratch or from positions that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import MapRecipe
from living_map.procrustes import align_to_previous
from living_map.settings import MapSettings

if TYPE_CHECKING:
    from living_map.incremental_umap import IncrementalUmap

NEIGHBOURS_USED = 39
"""Number of neighbours used for trust and districts: as many as the map keeps by default."""


def settings_from_recipe(chosen: MapRecipe) -> MapSettings:
    return MapSettings(neighbours=chosen.neighbours, min_dist=chosen.min_dist, spread=chosen.spread)


def make_map(chosen: MapRecipe, coordinates: NDArray[np.float32] | None = None) -> IncrementalUmap:
    """Create a map that continues from positions, shape (V, 2), or starts from scratch. Imports the compiler, which
    takes seconds the first time.
    """
    from living_map.incremental_umap import IncrementalUmap

    return IncrementalUmap(settings_from_recipe(chosen), coordinates)


def make_map_beside(
    chosen: MapRecipe, vectors: NDArray[np.float32], coordinates: NDArray[np.float32]
) -> IncrementalUmap:
    """Create a map that starts from scratch, aligned to the `coordinates`, (V, 2), of a layout by another method:
    those of earlier versions did not keep neighbourhoods as the map does.
    """
    fresh = make_map(chosen)
    places = fresh.draw_frame(vectors)
    while fresh.fitting:
        places = fresh.draw_frame(vectors)
    made = make_map(chosen, _align_or_mirror(places, coordinates))
    made.resume_from(vectors)
    return made


def _align_or_mirror(coordinates: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Align `coordinates` or its mirror image to the last layout, whichever fits better."""
    both = [
        align_to_previous(some, before)
        for some in (coordinates, coordinates * np.array([-1, 1], dtype=np.float32))
    ]
    return min(both, key=lambda some: float(np.median(np.square(some - before).sum(axis=1))))
