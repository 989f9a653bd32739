"""umap-learn's own fit from scratch, and a fit that is aligned to the last: what the living map is compared with."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from living_map.procrustes import align_to_previous
from living_map.settings import MapSettings

with warnings.catch_warnings():
    # The warning concerns a part of umap-learn that is not used here.
    warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
    from umap import umap_


def fit(vectors: NDArray[np.float32], settings: MapSettings) -> NDArray[np.float32]:
    """Run umap-learn's fit by cosine, shape (V, D) to (V, 2); V must exceed the neighbours. The seed is fixed, so
    umap-learn uses one thread.
    """
    model = umap_.UMAP(
        n_neighbors=settings.neighbours,
        min_dist=settings.min_dist,
        spread=settings.spread,
        negative_sample_rate=settings.negatives,
        metric="cosine",
        random_state=settings.seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # Ignore warnings of disconnected components and duplicates: the layout's trust shows its quality.
        warnings.simplefilter("ignore")
        return np.asarray(model.fit_transform(vectors), dtype=np.float32)


def fit_beside(
    vectors: NDArray[np.float32], settings: MapSettings, before: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Fit from scratch, and turn the result, or its mirror image, onto the last layout, (V, 2)."""
    fitted = fit(vectors, settings)
    both = [
        align_to_previous(some, before) for some in (fitted, fitted * np.array([-1, 1], dtype=np.float32))
    ]
    return min(both, key=lambda some: float(np.median(np.square(some - before).sum(axis=1))))
