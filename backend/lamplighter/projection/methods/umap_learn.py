"""The adapter to umap-learn's fit (0.5.12, BSD-3-Clause), used for refitting.

No other module imports umap-learn: importing takes a second, and far longer the first time, because it compiles much
that the incremental map does not need.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from living_map.settings import MapSettings

with warnings.catch_warnings():
    # The warning concerns a part of umap-learn that is not used here.
    warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
    from umap import umap_

_MAX_RANDOM_START = 20
"""Maximum tokens for which a fit starts at random, since the spectral start has no solver for so few."""


def fit(vectors: NDArray[np.float32], neighbours: int, settings: MapSettings) -> NDArray[np.float32]:
    """Run umap-learn's own fit from scratch, by cosine, shape (V, D) to (V, 2); V must exceed `neighbours`.

    The seed is fixed, so umap-learn uses only one thread.
    """
    model = umap_.UMAP(
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
        # Ignore warnings of disconnected components and duplicates: the layout's trust shows its quality.
        warnings.simplefilter("ignore")
        return np.asarray(model.fit_transform(vectors), dtype=np.float32)
