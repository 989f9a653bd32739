"""The adapter to umap-learn (0.5.12, BSD-3-Clause): the functions used here, compiled for a process that
starts often.

No other module imports umap-learn. The functions used here are not a public interface, so the version is
pinned (`>=0.5.12,<0.6`) and tests check their behaviour. umap-learn compiles `smooth_knn_dist` and
`compute_membership_strengths` for several threads and anew in every process, which takes three seconds; here
the same source is compiled for one thread and cached on disk.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lamplighter.projection.layout_method import MapSettings

with warnings.catch_warnings():
    # The warning concerns a part of umap-learn that is not used here.
    warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
    from umap.umap_ import UMAP, find_ab_params
    from umap.umap_ import compute_membership_strengths as _strengths
    from umap.umap_ import smooth_knn_dist as _smooth
    from umap.utils import tau_rand_int

_MAX_RANDOM_START = 20
"""Largest number of tokens for which a fit starts at random, since the spectral start has no solver for so
few."""

smooth_knn_dist = numba.njit(_smooth.py_func, cache=True)
"""umap-learn's function of this name: (distances, k) -> (sigmas, rhos)."""
umap_membership_strengths = numba.njit(_strengths.py_func, cache=True)
"""umap-learn's `compute_membership_strengths`: (ids, distances, sigmas, rhos) -> (heads, tails, weights,
None)."""


def fit(vectors: NDArray[np.float32], neighbours: int, settings: MapSettings) -> NDArray[np.float32]:
    """Run umap-learn's own fit from scratch, by cosine, shape (V, D) to (V, 2); V must exceed `neighbours`.

    The seed is fixed, and therefore only one thread is used.
    """
    model = UMAP(
        n_neighbors=neighbours,
        min_dist=settings.min_dist,
        spread=settings.spread,
        negative_sample_rate=settings.negatives,
        metric="cosine",
        init="spectral" if len(vectors) > _MAX_RANDOM_START else "random",
        random_state=settings.seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # Ignore warnings of disconnected components and duplicates: the layout's trust shows how good it is.
        warnings.simplefilter("ignore")
        return np.asarray(model.fit_transform(vectors), dtype=np.float32)


__all__ = ["find_ab_params", "fit", "smooth_knn_dist", "tau_rand_int", "umap_membership_strengths"]
