"""The parts of umap-learn (0.5.12, BSD-3-Clause) that are used here, made ready for a process that starts often.

The one place that names umap-learn: what is used of it is not a public interface, so the version is pinned
(`>=0.5.12,<0.6`) and tests hold it to what is expected. umap-learn compiles `smooth_knn_dist` and
`compute_membership_strengths` for several threads and anew in every process, which takes three seconds;
here the same source is compiled for one thread, and kept on the disk.
"""

from __future__ import annotations

import warnings

import numba

with warnings.catch_warnings():
    # Said of a part that is not used here.
    warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
    from umap.umap_ import compute_membership_strengths as _strengths
    from umap.umap_ import find_ab_params
    from umap.umap_ import smooth_knn_dist as _smooth
    from umap.utils import tau_rand_int

smooth_knn_dist = numba.njit(_smooth.py_func, cache=True)
"""(distances, k) -> (sigmas, rhos): see umap-learn."""
membership_strengths = numba.njit(_strengths.py_func, cache=True)
"""(ids, distances, sigmas, rhos) -> (heads, tails, weights, None): see umap-learn."""

__all__ = ["find_ab_params", "membership_strengths", "smooth_knn_dist", "tau_rand_int"]
