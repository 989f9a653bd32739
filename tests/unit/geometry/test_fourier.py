"""Frequencies of numbers, checked against regressions on cosines and sines."""

from __future__ import annotations

import numpy as np
import pytest

from lamplighter.geometry.fourier import (
    fourier_by_chance,
    frequency_plane,
    frequency_shares,
    plane_share,
    strongest_frequency,
)
from lamplighter.projection.methods.linear_view import fourier_view


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
