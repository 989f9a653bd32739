"""The parts of umap-learn (0.5.12, BSD-3-Clause) that are used here, made ready for a process that starts often.

The one place that names umap-learn: what is used of it is not a public interface, so the version is pinned
(`>=0.5.12,<0.6`) and tests hold it to what is expected. umap-learn compiles `smooth_knn_dist` and
`compute_membership_strengths` for several threads and anew in every process, which takes three seconds;
here the same source is compiled for one thread, and kept on the disk.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lamplighter.projection.method import MapSettings

with warnings.catch_warnings():
    # Said of a part that is not used here.
    warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
    from umap.umap_ import UMAP, find_ab_params
    from umap.umap_ import compute_membership_strengths as _strengths
    from umap.umap_ import smooth_knn_dist as _smooth
    from umap.utils import tau_rand_int

_SPECTRAL = 20
"""Tokens up to which a fit begins at random: the spectral start has no solver for so few."""

smooth_knn_dist = numba.njit(_smooth.py_func, cache=True)
"""(distances, k) -> (sigmas, rhos): see umap-learn."""
membership_strengths = numba.njit(_strengths.py_func, cache=True)
"""(ids, distances, sigmas, rhos) -> (heads, tails, weights, None): see umap-learn."""


def fit(vectors: NDArray[np.float32], neighbours: int, settings: MapSettings) -> NDArray[np.float32]:
    """umap-learn's own fit from scratch, by cosine, shape (V, D) to (V, 2); V above `neighbours`.

    Always with the same seed, and so by one thread.
    """
    model = UMAP(
        n_neighbors=neighbours,
        min_dist=settings.min_dist,
        spread=settings.spread,
        negative_sample_rate=settings.negatives,
        metric="cosine",
        init="spectral" if len(vectors) > _SPECTRAL else "random",
        random_state=settings.seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # Disconnected pieces, duplicates: the picture is what it is, and its trust says how good.
        warnings.simplefilter("ignore")
        return np.asarray(model.fit_transform(vectors), dtype=np.float32)


__all__ = ["find_ab_params", "fit", "membership_strengths", "smooth_knn_dist", "tau_rand_int"]
