"""The parts of umap-learn that are used here, imported without the warning about one that is not.

The one place that names umap-learn: its functions below `umap.` are not a public interface, so the version
is pinned (`>=0.5.12,<0.6`) and tests hold what is used of it to what is expected.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
    from umap.layouts import clip, rdist
    from umap.umap_ import find_ab_params, fuzzy_simplicial_set
    from umap.utils import tau_rand_int

__all__ = ["clip", "find_ab_params", "fuzzy_simplicial_set", "rdist", "tau_rand_int"]
