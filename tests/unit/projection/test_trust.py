from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from lamplighter.geometry.neighbours import all_nearest
from lamplighter.projection.trust import TrustProbe


def space_and_map(size: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(size, 8)) * [3, 3, 1, 1, 0.3, 0.3, 0.3, 0.3]
    places = vectors[:, :2] + noise * rng.normal(size=(size, 2))
    return vectors.astype(np.float32), places.astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("neighbours", [5, 10])
def test_in_full_it_is_what_sklearn_says(noise: float, neighbours: int) -> None:
    vectors, places = space_and_map(300, noise)
    probe = TrustProbe(300, neighbours=neighbours)
    probe.look(vectors)
    found = probe.estimate(places)
    expected = trustworthiness(vectors, places, n_neighbors=neighbours, metric="cosine")
    assert found.trust == pytest.approx(expected, abs=1e-6)
    assert found.error == 0
    assert found.by_token.mean() == pytest.approx(found.trust)


def test_recall_is_the_share_of_neighbours_kept() -> None:
    vectors, places = space_and_map(200, 0.5)
    probe = TrustProbe(200)
    probe.look(vectors)
    near, _ = all_nearest(vectors, 10)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    shown = distance.argsort(axis=1)[:, :10]
    kept = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(near.tolist(), shown.tolist(), strict=True)])
    assert probe.estimate(places).recall == pytest.approx(kept)


def test_a_sample_is_near_the_whole_as_its_error_says() -> None:
    vectors, places = space_and_map(1500, 1.0)
    whole = TrustProbe(1500, sample=1500)
    whole.look(vectors)
    true = whole.estimate(places).trust
    apart = []
    for seed in range(12):
        probe = TrustProbe(1500, seed=seed)
        probe.look(vectors)
        found = probe.estimate(places)
        assert len(found.token_ids) == 500
        apart.append((found.trust - true) / found.error)
    assert max(np.abs(apart)) < 4
    assert 0.3 < np.std(apart) < 2


@pytest.mark.parametrize("size", [1, 2])
def test_too_few_tokens_have_no_trust(size: int) -> None:
    vectors, places = space_and_map(size, 0)
    probe = TrustProbe(size)
    probe.look(vectors)
    found = probe.estimate(places)
    assert np.isnan([found.trust, found.error, found.recall]).all()


def test_three_tokens_and_tokens_in_one_place() -> None:
    probe = TrustProbe(3)
    probe.look(np.eye(3, dtype=np.float32))
    assert 0 <= probe.estimate(np.zeros((3, 2), dtype=np.float32)).trust <= 1
    probe = TrustProbe(40)
    probe.look(np.ones((40, 3), dtype=np.float32))
    assert probe.estimate(np.zeros((40, 2), dtype=np.float32)).trust == 1


def test_after_moves_it_is_what_a_fresh_look_gives() -> None:
    vectors, places = space_and_map(900, 0.5)
    probe = TrustProbe(900)
    rng = np.random.default_rng(0)
    probe.look(vectors)
    for count in (0, 5, 200, 700):
        some = rng.choice(900, count, replace=False)
        vectors[some] += rng.normal(size=(count, 8)).astype(np.float32)
        probe.look(vectors)
        fresh = TrustProbe(900)
        fresh.look(vectors)
        np.testing.assert_allclose(
            probe.estimate(places).by_token, fresh.estimate(places).by_token, atol=1e-5
        )
        assert probe.estimate(places).recall == pytest.approx(fresh.estimate(places).recall, abs=1e-3)
