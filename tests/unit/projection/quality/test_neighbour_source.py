"""The source of nearest neighbours for judging a map: the method's, computed ones, or none yet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lamplighter.projection.quality import NEIGHBOURS_USED, NeighbourSource


def vectors(count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).standard_normal((count, 3)).astype(np.float32)


def method_with(count: int, width: int) -> Any:
    """Return a method with neighbours that a search would not find."""
    ids = np.full((count, width), 7, dtype=np.int32)
    return SimpleNamespace(nearest=(ids, np.full((count, width), 0.5, dtype=np.float32)))


def test_searches_only_small_vocabularies_before_compilation():
    found = NeighbourSource().find(vectors(50), None)
    assert found is not None
    ids, cosines = found
    assert ids.shape == cosines.shape == (50, NEIGHBOURS_USED)
    units = vectors(50) / np.linalg.norm(vectors(50), axis=1, keepdims=True)
    likeness = units @ units.T
    np.fill_diagonal(likeness, -2)
    np.testing.assert_array_equal(ids[:, 0], likeness.argmax(axis=1))
    assert NeighbourSource().find(vectors(5_001), None) is None


@pytest.mark.parametrize(("count", "width", "used"), [(60, 39, 39), (60, 50, 39), (4, 3, 3)])
def test_uses_the_methods_neighbours_without_a_search(count: int, width: int, used: int):
    found = NeighbourSource().find(vectors(count), method_with(count, width))
    assert found is not None
    assert found[0].shape == found[1].shape == (count, used)
    assert (found[0] == 7).all()


def test_two_tokens_have_no_neighbours_to_judge():
    assert NeighbourSource().find(vectors(2), method_with(2, 1)) is None
