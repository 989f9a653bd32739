"""The discrete Fourier transform of the rows of the numbers 0 to p - 1: their frequencies, and the plane of one.

A model that adds on a clock lays its numbers on circles. On the circle of numbers of frequency k, number a stands at the
angle 2 pi k a / p (Nanda et al. 2023, arXiv 2301.05217).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import row_lengths
from living_map.rows import unit_rows

DRAWS = 100
"""Draws of random rows."""
_SEED = 0


@dataclass(frozen=True)
class ByChance:
    """The shares of rows of the same lengths in random directions, averaged over `DRAWS` draws."""

    largest_share: float
    """The share of the strongest frequency."""
    largest_share_most: float
    """The share that it does not exceed in 97.5 of 100 draws."""
    plane_share: float
    """The share of the variance in the plane of the strongest frequency."""


def frequency_shares(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share of each frequency from 1 up to half of p in the variance of rows; they sum to 1.
    `rows`: the numbers' in their order, shape (p, D), p at least 3, finite. Zeros if all are equal.
    """
    # Centred, so that equal rows give exact zeros.
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    power = (np.abs(np.fft.rfft(centred, axis=0)) ** 2).sum(axis=1)
    # All but the mean and the fastest of an even p stand for two frequencies, k and -k.
    power[1 : (len(rows) + 1) // 2] *= 2
    total = power[1:].sum()
    return power[1:] / total if total > 0 else np.zeros(len(power) - 1)


def strongest_frequency(shares: NDArray[np.float64], size: int) -> int:
    """Return the strongest of the frequencies of `size` numbers that have a plane: all below half of `size`."""
    return int(np.argmax(shares[: (size - 1) // 2])) + 1


def frequency_plane(rows: NDArray[np.float32], frequency: int) -> NDArray[np.float64]:
    """Return orthonormal directions of the plane of a frequency below p / 2, shape (D, 2). They are nearest
    to its cosine and its sine, so that number 0 lies to the right. `rows`: the rows of the numbers in their
    order, shape (p, D), D at least 2.
    """
    angles = 2 * np.pi * frequency * np.arange(len(rows)) / len(rows)
    waves = rows.astype(np.float64).T @ np.stack((np.cos(angles), np.sin(angles)), axis=1)
    left, _, right = np.linalg.svd(waves, full_matrices=False)
    return left @ right


def plane_share(rows: NDArray[np.float32], plane: NDArray[np.floating]) -> float:
    """Return the share of the rows' variance, shape (p, D), in a plane, shape (D, 2), from 0 to 1; 0 if they are equal."""
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    total = float((centred**2).sum())
    return float(((centred @ plane) ** 2).sum()) / total if total > 0 else 0.0


def fourier_by_chance(rows: NDArray[np.float32], draws: int = DRAWS, seed: int = _SEED) -> ByChance:
    """Return what random directions of the lengths of these rows, shape (p, D), give."""
    random, lengths = np.random.default_rng(seed), row_lengths(rows)[:, np.newaxis]
    largest = np.empty(draws)
    shares = np.empty(draws)
    for draw in range(draws):
        drawn = (lengths * unit_rows(random.standard_normal(rows.shape, dtype=np.float32))).astype(np.float32)
        found = frequency_shares(drawn)
        largest[draw] = found.max()
        shares[draw] = plane_share(drawn, frequency_plane(drawn, strongest_frequency(found, len(rows))))
    return ByChance(float(largest.mean()), float(np.quantile(largest, 0.975)), float(shares.mean()))
