"""The separation of meanings, against scikit-learn's silhouette."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from lamplighter.geometry.separation import separation


def _rows(apart: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two words of eight and seven occurrences: one with two meanings, one with three, of which one occurs once."""
    random = np.random.default_rng(1)
    words = np.repeat([0, 1], [8, 7])
    meanings = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4])
    rows = random.normal(size=(15, 6)) + apart * random.normal(size=(5, 6))[meanings]
    return rows.astype(np.float32), meanings, words


def test_it_is_the_mean_silhouette_among_occurrences_of_a_word() -> None:
    rows, meanings, words = _rows(2.0)
    found = separation(rows, meanings, words)
    assert found is not None
    expected = np.empty(len(rows))
    for word in (0, 1):
        chosen = words == word
        expected[chosen] = silhouette_samples(rows[chosen], meanings[chosen], metric="cosine")
    assert abs(found[0] - expected.mean()) < 1e-6


def test_meanings_that_say_nothing_stay_below_chance_most_of_the_time() -> None:
    random = np.random.default_rng(2)
    above = 0
    for _ in range(60):
        rows = random.normal(size=(12, 5)).astype(np.float32)
        found = separation(rows, np.repeat([0, 1], 6), np.zeros(12, dtype=np.int64))
        assert found is not None
        above += found[0] > found[1]
    assert above <= 9  # three are expected; more than nine are seen once in a thousand times
    found = separation(*_rows(2.0))
    assert found is not None
    assert found[0] > found[1] + 0.2


def test_equal_rows_are_not_apart() -> None:
    rows = np.tile(np.array([0.3, -1.7, 0.1], dtype=np.float32), (6, 1))
    assert separation(rows, np.repeat([0, 1], 3), np.zeros(6, dtype=np.int64)) == (0.0, 0.0)


def test_words_of_one_meaning_and_rows_without_one_are_not_measured() -> None:
    rows = np.eye(4, dtype=np.float32)
    words = np.zeros(4, dtype=np.int64)
    assert separation(rows, np.zeros(4, dtype=np.int64), words) is None
    assert separation(rows, np.arange(4), words) is None
    assert separation(rows, np.array([0, 0, -1, -1]), words) is None


def test_of_many_occurrences_a_sample_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    meanings = np.repeat([0, 1], 200)
    rows = random.normal(size=(400, 6)).astype(np.float32) + 3 * np.eye(6, dtype=np.float32)[meanings]
    whole = separation(rows, meanings, np.zeros(400, dtype=np.int64))
    monkeypatch.setattr("lamplighter.geometry.separation.MAX_OCCURRENCES", 100)
    sample = separation(rows, meanings, np.zeros(400, dtype=np.int64))
    assert whole is not None
    assert sample is not None
    assert whole[0] != sample[0]
    assert abs(whole[0] - sample[0]) < 0.1
