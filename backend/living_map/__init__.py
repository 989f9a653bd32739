"""UMAP for data that moves: one map that follows rows as they change, arrive and leave.

>>> import numpy as np
>>> from living_map import LivingMap
>>> rows = np.random.default_rng(0).normal(size=(200, 8))
>>> model = LivingMap(n_neighbors=10).fit(rows)
>>> model.embedding_.shape
(200, 2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from living_map.estimator import LivingMap as LivingMap

__all__ = ["LivingMap"]


def __getattr__(name: str) -> Any:
    # Importing numba takes half a second, which code that uses only `living_map.rows` should not wait for.
    if name == "LivingMap":
        from living_map.estimator import LivingMap

        return LivingMap
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
