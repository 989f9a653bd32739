"""Measures of the geometry lab against brute force: analogies, axes, directions, bits of order, nearest by chance.

Frequencies of numbers, checked against regressions on cosines and sines.
"""

from __future__ import annotations

import tracemalloc
from itertools import combinations

import numpy as np
import pytest

from lamplighter.corpora.distribution import WINDOW, count_meetings
from lamplighter.geometry import neighbours
from lamplighter.geometry.analogies import (
    analogy_accuracy,
    analogy_hits,
    analogy_questions,
    answer_analogy,
    consistency_by_chance,
    measure_axis,
    offset_consistency,
)
from lamplighter.geometry.fourier import (
    fourier_by_chance,
    frequency_plane,
    frequency_shares,
    plane_share,
    strongest_frequency,
)
from lamplighter.geometry.neighbours import (
    nearest_cosine,
    nearest_cosine_by_chance,
    random_cosine_deviation,
)
from lamplighter.geometry.purity import (
    find_neighbour_classes,
    neighbour_information,
    neighbour_information_chance,
    neighbour_information_most,
    neighbour_purity,
)
from lamplighter.projection.linear_view import fourier_view


def space(size: int = 40, dim: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, dim)).astype(np.float32)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def test_answers_an_analogy_with_and_without_exclusion() -> None:
    vectors = space()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    target = unit[3] - unit[7] + unit[11]
    by_hand = sorted(range(40), key=lambda row: -cosine(vectors[row], target))
    ruled, whole = answer_analogy(vectors, 3, 7, 11, 5)
    assert whole.ids.tolist() == by_hand[:5]
    assert ruled.ids.tolist() == [row for row in by_hand if row not in (3, 7, 11)][:5]
    assert whole.cosines == pytest.approx([cosine(vectors[row], target) for row in by_hand[:5]], abs=1e-6)
    ruled, whole = answer_analogy(vectors, 3, 7, 11, 100)
    assert (len(ruled.ids), len(whole.ids)) == (37, 40)


def test_hits_are_questions_with_a_right_first_answer() -> None:
    vectors = space()
    vectors[20:30] = vectors[:10] + np.float32(2) + 0.4 * space(10, seed=1)
    pairs = [(row, 20 + row) for row in range(10)]
    questions = analogy_questions(pairs)
    hits = analogy_hits(vectors, questions)
    by_hand = [int(answer_analogy(vectors, b, a, c, 1)[0].ids[0]) == d for a, b, c, d in questions.tolist()]
    assert hits.tolist() == by_hand
    assert 0 < analogy_accuracy(vectors, pairs) == np.mean(by_hand) < 1


def test_an_axis_places_its_ends_correctly() -> None:
    vectors = space()
    axis = measure_axis(vectors, np.array([1, 2]), np.array([5]))
    assert axis.positions is not None
    assert axis.positions[5] == pytest.approx(axis.length / 2)
    assert axis.positions[[1, 2]].mean() == pytest.approx(-axis.length / 2)
    direction = vectors[5] - vectors[[1, 2]].mean(axis=0)
    assert axis.length == pytest.approx(np.linalg.norm(direction))
    apart = (vectors[9] - vectors[4]) @ direction / np.linalg.norm(direction)
    assert axis.positions[9] - axis.positions[4] == pytest.approx(apart, rel=1e-5)
    turned = [
        float((vectors @ way / np.linalg.norm(way)).std())
        for way in np.random.default_rng(1).normal(size=(4_000, 6))
    ]
    assert axis.spread_by_chance == pytest.approx(np.sqrt(np.mean(np.square(turned))), rel=0.02)
    nowhere = measure_axis(vectors, np.array([3]), np.array([3]))
    assert (nowhere.length, nowhere.positions) == (0, None)


def test_an_axis_does_not_copy_the_matrix() -> None:
    vectors = space(40_000, 64)
    ends = np.array([1, 2]), np.array([5])
    tracemalloc.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("living_map.rows.BLOCK_BYTES", 1 << 20)
            axis = measure_axis(vectors, *ends)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < vectors.nbytes / 2
    wide = vectors.astype(np.float64)
    assert axis.spread_by_chance == pytest.approx(np.sqrt(wide.var(axis=0).mean()))
    way = wide[5] - wide[[1, 2]].mean(axis=0)
    assert axis.positions is not None
    middle = (wide[5] + wide[[1, 2]].mean(axis=0)) / 2
    np.testing.assert_allclose(axis.positions, (wide - middle) @ way / np.linalg.norm(way), atol=1e-9)


def test_consistency_matches_all_pairs() -> None:
    vectors = space(2_000, 64)
    pairs = [(row, (7 * row + 1) % 2_000) for row in range(2_000)]
    pairs += [(row, (11 * row + 3) % 2_000) for row in range(2_000)]
    offsets = np.array([vectors[b] - vectors[a] for a, b in dict.fromkeys(pairs)], dtype=np.float64)
    units = offsets[offsets.any(axis=1)]
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    table = units @ units.T
    by_hand = (table.sum() - len(units)) / (len(units) * (len(units) - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lamplighter.geometry.neighbours.BLOCK_BYTES", 8 * 64 * 100)
        assert offset_consistency(vectors, pairs) == pytest.approx(by_hand, abs=1e-6)


def test_consistency_is_the_mean_cosine_of_every_two_offsets() -> None:
    vectors = space()
    pairs = [(0, 10), (1, 11), (2, 12), (3, 13), (0, 10)]
    offsets = [vectors[b] - vectors[a] for a, b in pairs[:4]]
    by_hand = np.mean([cosine(one, other) for one, other in combinations(offsets, 2)])
    assert offset_consistency(vectors, pairs) == pytest.approx(by_hand, abs=1e-6)
    assert np.isnan(offset_consistency(vectors, pairs[:1]))
    assert np.isnan(offset_consistency(vectors, [(0, 0), (1, 11)]))
    vectors[20:30] = vectors[:10] + 1
    assert offset_consistency(vectors, [(row, 20 + row) for row in range(10)]) == pytest.approx(1, abs=1e-5)


def test_random_pairs_have_only_the_consistency_of_their_classes() -> None:
    vectors = space(60, 30)
    class_of = np.repeat([0, 1, -1], 20)
    pairs = [(row, 20 + row) for row in range(20)]
    assert consistency_by_chance(vectors, pairs, class_of)[0] == pytest.approx(0, abs=0.02)
    shift = np.random.default_rng(5).normal(size=30).astype(np.float32)
    vectors[20:40] += 2 * shift
    chance, deviation = consistency_by_chance(vectors, pairs, class_of)
    assert chance == pytest.approx(2 / 3, abs=0.1)
    assert 0 < deviation < 0.05
    vectors[20:40] = vectors[:20] + 2 * shift
    assert (
        offset_consistency(vectors, pairs) > 0.99 > consistency_by_chance(vectors, pairs, class_of)[0] + 0.2
    )
    assert np.isnan(consistency_by_chance(vectors, [(0, 50), (1, 51)], class_of)[0])
    assert np.isnan(consistency_by_chance(vectors, pairs[:1], class_of)[0])


def brute_information(vectors: np.ndarray, class_of: np.ndarray, k: int) -> float:
    """Draw as the definition does, one probability at a time."""
    classed = [row for row in range(len(class_of)) if class_of[row] >= 0]
    members = {
        label: [row for row in classed if class_of[row] == label] for label in set(class_of.tolist()) - {-1}
    }
    drawn = {label: rows for label, rows in members.items() if len(rows) > 1}
    joint: dict[tuple[int, int], float] = {}
    for label, rows in drawn.items():
        for row in rows:
            others = sorted((o for o in classed if o != row), key=lambda o: -cosine(vectors[row], vectors[o]))
            listed = others[: min(k, len(rows) - 1)]
            for other in listed:
                pair = (label, int(class_of[other]))
                joint[pair] = joint.get(pair, 0) + 1 / len(drawn) / len(rows) / len(listed)
    assert sum(joint.values()) == pytest.approx(1)
    left = {label: sum(p for (one, _), p in joint.items() if one == label) for label in drawn}
    right = {label: sum(p for (_, one), p in joint.items() if one == label) for label in members}
    return sum(p * np.log2(p / left[one] / right[other]) for (one, other), p in joint.items())


def test_information_matches_its_definition() -> None:
    rng = np.random.default_rng(3)
    class_of = np.repeat([0, 2, 5, 7, -1], [12, 7, 2, 1, 10])
    vectors = (rng.normal(size=(8, 5))[class_of] + rng.normal(size=(32, 5))).astype(np.float32)
    found = find_neighbour_classes(vectors, class_of, 4)
    assert neighbour_information(found) == pytest.approx(brute_information(vectors, class_of, 4))
    assert neighbour_information_most(found) == pytest.approx(np.log2(3))


def test_information_is_between_chance_and_maximum() -> None:
    class_of = np.repeat(np.arange(16), 12)
    centres = space(16, 20)[class_of]
    apart = find_neighbour_classes((centres + 0.01 * space(192, 20, 1)).astype(np.float32), class_of, 10)
    assert neighbour_information(apart) == pytest.approx(neighbour_information_most(apart)) == 4
    assert neighbour_purity(apart) == 1
    noise = find_neighbour_classes(space(192, 20, 2), class_of, 10)
    assert neighbour_information(noise) == pytest.approx(neighbour_information_chance(noise), abs=0.1)
    assert neighbour_information_chance(apart) == pytest.approx(neighbour_information_chance(noise), abs=0.1)
    unclassed = find_neighbour_classes(space(), np.full(40, -1))
    assert np.isnan(neighbour_information(unclassed))
    assert np.isnan(neighbour_information_most(unclassed))
    assert np.isnan(neighbour_information_chance(unclassed))


def test_nearest_by_chance_matches_random_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = space(60, 8)
    by_hand = [max(cosine(row, vectors[o]) for o in range(60) if o != i) for i, row in enumerate(vectors)]
    assert nearest_cosine(vectors) == pytest.approx(np.mean(by_hand), abs=1e-6)
    assert nearest_cosine(3 * vectors * np.arange(1, 61)[:, None].astype(np.float32)) == pytest.approx(
        nearest_cosine(vectors), abs=1e-6
    )
    assert nearest_cosine_by_chance(60, 8) == pytest.approx(np.mean(by_hand), abs=0.1)
    assert (
        nearest_cosine_by_chance(600, 8) > nearest_cosine_by_chance(60, 8) > nearest_cosine_by_chance(60, 64)
    )
    assert random_cosine_deviation(64) == 0.125
    monkeypatch.setattr(neighbours, "MAX_QUERIES", 30)
    assert nearest_cosine(vectors) == pytest.approx(np.mean(by_hand), abs=0.05)
    assert nearest_cosine(vectors) != pytest.approx(np.mean(by_hand), abs=1e-9)
    assert np.isnan(nearest_cosine(vectors[:1]))


@pytest.mark.parametrize("block", [1 << 18, 50])
def test_words_meet_within_the_window_in_either_order(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamplighter.corpora.distribution._BLOCK", block)
    text = np.random.default_rng(0).integers(0, 9, size=400).astype(np.uint32)
    pairs = [(3, 5), (5, 3), (0, 8), (1, 77)]
    by_hand = [
        sum(
            {int(text[i]), int(text[j])} == {a, b}
            for i in range(len(text))
            for j in range(i + 1, min(len(text), i + WINDOW + 1))
        )
        for a, b in pairs
    ]
    assert count_meetings(text, pairs).tolist() == by_hand
    assert count_meetings(text, []).tolist() == []
    assert count_meetings(text[:0], pairs).tolist() == [0, 0, 0, 0]


def rows_of(seed: int, p: int, dim: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(p, dim)).astype(np.float32)


def waves(p: int, frequency: int) -> np.ndarray:
    angles = 2 * np.pi * frequency * np.arange(p) / p
    return np.stack((np.cos(angles), np.sin(angles)), axis=1)


@pytest.mark.parametrize("p", [5, 12, 59])
def test_shares_are_the_explained_variance_of_regressions(p: int) -> None:
    rows = rows_of(p, p, 8)
    centred = rows - rows.mean(axis=0)
    total = (centred**2).sum()
    shares = frequency_shares(rows)
    assert len(shares) == p // 2
    assert shares.sum() == pytest.approx(1)
    for frequency, share in enumerate(shares, start=1):
        fitted, *_ = np.linalg.lstsq(waves(p, frequency), centred, rcond=None)
        residual = ((centred - waves(p, frequency) @ fitted) ** 2).sum()
        assert share == pytest.approx(1 - residual / total, abs=1e-6)


def test_a_hidden_circle_is_found_and_drawn_round() -> None:
    p, frequency = 59, 7
    turned, _ = np.linalg.qr(rows_of(1, 16, 16))
    rows = (3 * waves(p, frequency) @ turned[:2] + 0.3 * rows_of(2, p, 16) + 5).astype(np.float32)
    shares = frequency_shares(rows)
    assert strongest_frequency(shares, p) == frequency
    view = fourier_view(rows, 1, 40)
    np.testing.assert_allclose(view.basis.T @ view.basis, np.eye(2), atol=1e-6)
    # Number a at the angle of frequency * a, with 0 to the right.
    np.testing.assert_allclose(view.project(rows), 3 * waves(p, frequency), atol=1.3)
    share = plane_share(rows, frequency_plane(rows, frequency))
    assert share > 0.6 > 2 * fourier_by_chance(rows).plane_share


def test_the_fastest_frequency_of_an_even_clock_has_no_plane() -> None:
    rows = (np.outer([1, -1] * 6, np.ones(4)) + 0.01 * rows_of(3, 12, 4)).astype(np.float32)
    shares = frequency_shares(rows)
    assert np.argmax(shares) + 1 == 6
    assert strongest_frequency(shares, 12) < 6


def test_chance_covers_random_rows_and_not_a_circle() -> None:
    chance = fourier_by_chance(rows_of(4, 59, 32))
    drawn = [frequency_shares(rows_of(seed, 59, 32)).max() for seed in range(20)]
    assert chance.largest_share == pytest.approx(np.mean(drawn), rel=0.1)
    assert chance.largest_share < chance.largest_share_most < 0.1


def test_equal_rows_have_no_frequency() -> None:
    rows = np.ones((7, 3), dtype=np.float32)
    assert not frequency_shares(rows).any()
    assert plane_share(rows, frequency_plane(rows, 1)) == 0
