"""The joint layout keeps the neighbours of slices whose rows all moved, and is the same without."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import all_nearest
from living_map import joint_umap
from living_map.joint_umap import LEARNING_RATES, JointLayout
from living_map.nearest_neighbours import KnownNeighbours, NeighbourIndex, NeighbourUpdate
from living_map.settings import MapSettings

V, T = 60, 3
SLICES = np.random.default_rng(2).normal(size=(T, V, 8)).cumsum(axis=0).astype(np.float32)


def _lay_out(monkeypatch: pytest.MonkeyPatch) -> tuple[JointLayout, int]:
    """Return a layout of all slices, and how often all rows were ranked."""
    rankings: list[int] = []
    update = NeighbourIndex.update

    def count(
        index: NeighbourIndex, vectors: NDArray[np.float32], known: KnownNeighbours | None = None
    ) -> NeighbourUpdate:
        made = update(index, vectors, known)
        if made.ranked:
            rankings.append(made.ranked)
        return made

    joint = JointLayout(T, V, MapSettings())
    with monkeypatch.context() as patched:
        patched.setattr(NeighbourIndex, "update", count)
        for sweep in range(len(LEARNING_RATES)):
            for index in range(T) if sweep % 2 else reversed(range(T)):
                joint.refine_slice(index, SLICES[index], sweep)
    assert set(rankings) == {V}
    return joint, len(rankings)


def test_all_rows_of_a_slice_are_ranked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    joint, rankings = _lay_out(monkeypatch)
    assert rankings == T
    k = MapSettings().neighbours - 1
    known = joint.known_neighbours(1, k)
    assert known is not None
    np.testing.assert_array_equal(known.ids, all_nearest(SLICES[1], k)[0])
    assert joint.known_neighbours(1, k - 1) is None
    monkeypatch.setattr(joint_umap, "_KEPT_BYTES", 0)
    without, more = _lay_out(monkeypatch)
    # Where a sweep turns, no row has moved.
    assert more == T + (len(LEARNING_RATES) - 1) * (T - 1)
    assert without.known_neighbours(1, k) is None
    assert without.coordinates.tobytes() == joint.coordinates.tobytes()
