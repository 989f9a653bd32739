"""`motion="faithful"`: a row moves on the map as it moved in the space."""

from __future__ import annotations

import pkgutil

import numpy as np
import pytest
from scipy.stats import rankdata

from benchmarks.map_table import ABLATION
from living_map.faithful_motion import row_mobility
from living_map.incremental_umap import IncrementalUmap
from living_map.nearest_neighbours import NeighbourIndex
from living_map.settings import MapSettings, Motion
from tests.support.moving_towns import town


def drawn(motion: Motion, frames: list[np.ndarray]) -> tuple[IncrementalUmap, list[np.ndarray]]:
    layout = IncrementalUmap(MapSettings(neighbours=12, warm_epochs=40, motion=motion))
    return layout, [layout.draw_frame(frame) for frame in frames]


def test_rows_at_rest_stay_where_they_are_to_the_bit() -> None:
    before = town()
    after = before.copy()
    after[:20] = town(seed=1)[5:25]
    layout, (first, second) = drawn("faithful", [before, after])
    np.testing.assert_array_equal(second[20:], first[20:])
    assert np.linalg.norm(second[:20] - first[:20], axis=1).min() > 0
    third = layout.draw_frame(after)
    np.testing.assert_array_equal(third[20:], first[20:])
    assert np.abs(third[:20] - second[:20]).max() > 0, "moved rows go on settling while the space rests"
    for _ in range(40):
        third = layout.draw_frame(after)
    assert not layout.unsettled
    np.testing.assert_array_equal(layout.draw_frame(after), third)


def test_the_way_on_the_map_follows_the_way_in_the_space() -> None:
    rng = np.random.default_rng(0)
    frames = [town()]
    for _ in range(6):
        ways = rng.lognormal(mean=-3.5, sigma=1.5, size=(300, 1))
        frames.append(frames[-1] + (ways * rng.normal(size=(300, 16))).astype(np.float32))
    units = [frame / np.linalg.norm(frame, axis=1, keepdims=True) for frame in frames]
    travelled = np.linalg.norm(np.diff(units, axis=0), axis=2).ravel()
    found: dict[Motion, float] = {}
    for motion in ("smooth", "faithful"):
        _, maps = drawn(motion, frames)
        moved = np.linalg.norm(np.diff(maps, axis=0), axis=2).ravel()
        found[motion] = float(np.corrcoef(rankdata(travelled), rankdata(moved))[0, 1])
    assert found["faithful"] > 0.7
    assert found["faithful"] > found["smooth"] + 0.2


def test_mobility_is_in_proportion_up_to_ten_times_the_mean() -> None:
    travelled = np.zeros(100, dtype=np.float32)
    assert not row_mobility(travelled).any()
    travelled[:2] = 1, 99  # the mean is 1
    assert row_mobility(travelled).ravel()[:3].tolist() == pytest.approx([0.1, 1, 0])
    travelled[2] = np.inf  # has just arrived, and counts in no mean
    assert row_mobility(travelled).ravel()[:4].tolist() == pytest.approx([0.099, 1, 1, 0])
    assert row_mobility(np.ones(7, dtype=np.float32)).ravel().tolist() == pytest.approx([0.1] * 7)


@pytest.mark.parametrize("moved_rows", [3, 280])
def test_the_index_knows_how_far_rows_went_until_others_move(moved_rows: int) -> None:
    vectors = town()
    index = NeighbourIndex(11)
    index.update(vectors)
    assert np.isinf(index.travelled).all(), "all rows have just arrived"
    vectors[:moved_rows] *= -1
    index.update(vectors)
    expected = np.where(np.arange(300) < moved_rows, 2, 0)
    np.testing.assert_allclose(index.travelled, expected, atol=1e-6)
    index.update(vectors)
    np.testing.assert_allclose(index.travelled, expected, atol=1e-6)
    vectors[0] *= 3
    index.update(vectors)
    np.testing.assert_allclose(index.travelled, 0, atol=1e-6)


def test_the_ablation_replaces_names_that_are_there() -> None:
    for _, values in ABLATION.values():
        for where in values:
            pkgutil.resolve_name(where)


def test_an_unknown_motion_is_refused() -> None:
    with pytest.raises(ValueError, match='motion must be "smooth" or "faithful"'):
        MapSettings(motion="wild")  # pyright: ignore[reportArgumentType]
