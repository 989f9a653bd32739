from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from lamplighter.geometry.neighbours import all_nearest
from living_map import trust
from living_map.trust import TrustProbe, nearest_on_map, trust_by_token


def space_and_map(size: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(size, 8)) * [3, 3, 1, 1, 0.3, 0.3, 0.3, 0.3]
    places = vectors[:, :2] + noise * rng.normal(size=(size, 2))
    return vectors.astype(np.float32), places.astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("neighbours", [5, 10])
def test_full_trust_matches_scikit_learn(noise: float, neighbours: int) -> None:
    vectors, places = space_and_map(300, noise)
    probe = TrustProbe(300, neighbours=neighbours)
    probe.set_space(vectors)
    found = probe.estimate(places)
    expected = trustworthiness(vectors, places, n_neighbors=neighbours, metric="cosine")
    assert found.trust == pytest.approx(expected, abs=1e-6)
    assert found.error == 0
    assert found.by_token.mean() == pytest.approx(found.trust)


@pytest.mark.parametrize("most", [10, 10_000])
def test_by_euclid_rows_far_from_zero_are_told_apart(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(trust, "MAX_COPIED", most)
    vectors, places = space_and_map(300, 1.0)
    probe = TrustProbe(300, metric="euclidean")
    probe.set_space(vectors + np.float32(4_096))
    expected = trustworthiness(vectors, places, n_neighbors=10)
    assert probe.estimate(places).trust == pytest.approx(expected, abs=1e-3)


def test_recall_is_the_share_of_neighbours_kept() -> None:
    vectors, places = space_and_map(200, 0.5)
    probe = TrustProbe(200)
    probe.set_space(vectors)
    near, _ = all_nearest(vectors, 10)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    shown = distance.argsort(axis=1)[:, :10]
    kept = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(near.tolist(), shown.tolist(), strict=True)])
    assert probe.estimate(places).recall == pytest.approx(kept)


def test_a_sample_estimates_the_whole_within_its_error() -> None:
    vectors, places = space_and_map(1500, 1.0)
    whole = TrustProbe(1500, sample=1500)
    whole.set_space(vectors)
    true = whole.estimate(places).trust
    apart = []
    for seed in range(12):
        probe = TrustProbe(1500, seed=seed)
        probe.set_space(vectors)
        found = probe.estimate(places)
        assert len(found.token_ids) == 500
        apart.append((found.trust - true) / found.error)
    assert max(np.abs(apart)) < 4
    assert 0.3 < np.std(apart) < 2


@pytest.mark.parametrize("size", [1, 2])
def test_too_few_tokens_have_no_trust(size: int) -> None:
    vectors, places = space_and_map(size, 0)
    probe = TrustProbe(size)
    probe.set_space(vectors)
    found = probe.estimate(places)
    assert np.isnan([found.trust, found.error, found.recall]).all()


def test_handles_three_tokens_and_coinciding_tokens() -> None:
    probe = TrustProbe(3)
    probe.set_space(np.eye(3, dtype=np.float32))
    assert 0 <= probe.estimate(np.zeros((3, 2), dtype=np.float32)).trust <= 1
    probe = TrustProbe(40)
    probe.set_space(np.ones((40, 3), dtype=np.float32))
    assert probe.estimate(np.zeros((40, 2), dtype=np.float32)).trust == 1


def test_updates_equal_a_fresh_estimate() -> None:
    vectors, places = space_and_map(900, 0.5)
    probe = TrustProbe(900)
    rng = np.random.default_rng(0)
    probe.set_space(vectors)
    for count in (0, 5, 200, 700):
        some = rng.choice(900, count, replace=False)
        vectors[some] += rng.normal(size=(count, 8)).astype(np.float32)
        probe.set_space(vectors)
        fresh = TrustProbe(900)
        fresh.set_space(vectors)
        np.testing.assert_allclose(
            probe.estimate(places).by_token, fresh.estimate(places).by_token, atol=1e-5
        )
        assert probe.estimate(places).recall == pytest.approx(fresh.estimate(places).recall, abs=1e-3)


def by_hand(vectors: np.ndarray, places: np.ndarray, k: int, reach: int) -> list[float]:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = unit @ unit.T
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    found: list[float] = []
    for token in range(len(vectors)):
        others = [other for other in range(len(vectors)) if other != token]
        rank = {o: r for r, o in enumerate(sorted(others, key=lambda o: -similar[token, o]), 1)}
        shown = sorted(others, key=lambda o: distance[token, o])[:k]
        found.append(1 - sum(min(max(rank[o] - k, 0), reach - k) for o in shown) / (k * (reach - k)))
    return found


@pytest.mark.parametrize(("k", "reach"), [(5, 20), (10, 39), (1, 2)])
def test_trust_by_token_matches_its_definition(k: int, reach: int) -> None:
    vectors, places = space_and_map(150, 1.0)
    ids, _ = all_nearest(vectors, reach)
    found = trust_by_token(nearest_on_map(places, k), ids)
    assert found is not None
    np.testing.assert_allclose(found / 255, by_hand(vectors, places, k, reach), atol=0.5 / 255 + 1e-6)


def test_a_misplaced_token_has_low_trust() -> None:
    vectors = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    vectors = np.hstack([vectors, np.ones((400, 1), np.float32)])
    places = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[:, :2].copy()
    at = [int(places[:, 0].argmax()), int(places[:, 0].argmin())]
    places[at] = places[at[::-1]]
    ids, _ = all_nearest(vectors, 39)
    found = trust_by_token(nearest_on_map(places, 10), ids)
    assert found is not None
    assert set(np.argsort(found, kind="stable")[:2].tolist()) == set(at)
    assert (found[at] == 0).all()
    assert np.median(found) > 220


def test_trust_by_token_handles_duplicates_and_few_tokens() -> None:
    vectors, places = space_and_map(60, 0.1)
    vectors[:20], places[:20] = vectors[0], places[0]
    ids, _ = all_nearest(vectors, 39)
    found = trust_by_token(nearest_on_map(places, 10), ids)
    assert found is not None
    assert found.shape == (60,)
    three = trust_by_token(nearest_on_map(places[30:33], 1), all_nearest(vectors[30:33], 39)[0])
    assert three is not None
    assert three.shape == (3,)
    assert trust_by_token(nearest_on_map(places[:2], 0), all_nearest(vectors[:2], 39)[0]) is None


def test_given_map_neighbours_do_not_change_the_estimate() -> None:
    vectors, places = space_and_map(700, 1.0)
    probe = TrustProbe(700)
    probe.set_space(vectors)
    one, other = probe.estimate(places), probe.estimate(places, nearest_on_map(places, probe.neighbours))
    assert (one.trust, one.error, one.recall) == (other.trust, other.error, other.recall)
