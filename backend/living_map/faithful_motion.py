"""Faithful motion: a token moves on the map as it moved in the space.

UMAP's forces move every token a little in every epoch, so a map that follows a moving space is restless where the space is at
rest, and says little about who moved. Here each token takes a share of the optimiser's steps, its mobility, in proportion to
the way it has just moved in the space: those at rest are the ground that the others move on. A token that moves first goes
along with its neighbourhood, from the middle of its former neighbours to that of its present ones.

`docs/map.md` has the measured effect, and what else was tried.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WHOLE_STEPS = 10.0
"""Multiple of the mean way in the space from which on a token takes the optimiser's whole steps."""


def row_mobility(travelled: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of the optimiser's steps that each token takes, (V, 1): 1 from ten times the mean way
    on.

    `travelled`: how far each moved in the space, shape (V,); infinite for one that has just arrived.
    """
    finite = np.isfinite(travelled)
    mean = travelled[finite].mean() if finite.any() else 0.0
    return np.minimum(1, travelled / max(_WHOLE_STEPS * mean, 1e-30))[:, None].astype(np.float32)


def neighbour_means(coordinates: NDArray[np.float32], ids: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the mean position of each token's neighbours, `ids`, shape (V, k); shape (V, 2)."""
    return coordinates[ids].mean(axis=1)
