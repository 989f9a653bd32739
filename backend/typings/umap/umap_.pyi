from typing import Literal

import numpy as np
from numpy.typing import NDArray

class UMAP:
    def __init__(
        self,
        *,
        n_neighbors: int,
        min_dist: float,
        spread: float,
        negative_sample_rate: int,
        metric: Literal["cosine"],
        init: Literal["spectral", "random"],
        random_state: int,
        n_jobs: int,
    ) -> None: ...
    def fit_transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]: ...
