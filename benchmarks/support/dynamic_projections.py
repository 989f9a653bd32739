"""The published table of dynamic projections: its data sets, its methods' maps, and its measures.

Vernier, Garcia, da Silva, Comba and Telea, "Quantitative evaluation of time-dependent multidimensional projection
techniques" (2020), and Vernier, Comba and Telea, "Guided stable dynamic projections" (2021). The repository of the second,
`EduardoVernier/landmark-based-dynamic-projections`, has the data and the maps of both papers' methods. It has no licence,
so it is read from a clone, and nothing of it is kept here.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

SETS = ("cifar10cnn", "cartolastd", "sorts", "minigaussians")
"""The sets whose data are whole in the repository."""
NEAR_SHARE = 0.05
"""Neighbours that are compared, as a share of the rows."""


@dataclass(frozen=True)
class MapScores:
    """How faithful the maps of all steps of a set are."""

    spearman: float
    """Rank correlation of how far a row moves in the space and on the map, from each step to the next, over all rows and
    steps; like `pearson` and `stress`."""
    pearson: float
    stress: float
    """Normalised stress of both movements, each divided by its largest."""
    neighbours: float
    """Share of a row's nearest rows in the space that are among its nearest on the map, mean over rows and steps."""
    trust: float
    """Trustworthiness (Venna and Kaski 2001), mean over the steps. Their code names it continuity."""
    continuity: float
    """Continuity (ditto). Their code names it trust."""

    def rounded(self) -> dict[str, float]:
        """Return the scores by name, to four digits."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def read_set(clone: Path, name: str) -> NDArray[np.float64]:
    """Return the space of a set in every step, shape (T, N, D); the rows are the same in each."""
    with zipfile.ZipFile(clone / "datasets" / f"{name}.zip") as archive:
        steps = {
            int(match[1]): archive.read(member)
            for member in archive.namelist()
            if (match := re.fullmatch(rf"{name}/{name}-(\d+)\.csv", member))
        }
    return np.array([_numbers(steps[step].decode()) for step in sorted(steps)])


def read_maps(clone: Path, name: str) -> dict[str, NDArray[np.float64]]:
    """Return the maps that each published method made of a set, shape (T, N, 2) each, by the name of its file."""
    found: dict[str, NDArray[np.float64]] = {}
    for path in sorted((clone / "output").glob(f"{name}-*.csv")):
        table = _numbers(path.read_text("utf-8"))
        found[path.stem.removeprefix(f"{name}-")] = table.reshape(len(table), -1, 2).swapaxes(0, 1)
    return found


def read_scores(clone: Path, name: str) -> dict[str, dict[str, float]]:
    """Return the published scores of a set, by method and by their name of the measure; empty if it has none."""
    path = clone / "metrics" / "results" / f"{name}.csv"
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        Path(row[""]).stem.removeprefix(f"{name}-"): {key: float(value) for key, value in row.items() if key}
        for row in rows
    }


def _numbers(text: str) -> NDArray[np.float64]:
    """Return the numbers of a table that begins with a line of names and a column of ids."""
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return np.array([row[1:] for row in rows], dtype=np.float64)


class PublishedSet:
    """A set, its neighbours found once, against which maps are scored."""

    def __init__(self, space: NDArray[np.float64]) -> None:
        """Rank all rows of `space`, shape (T, N, D)."""
        self.space = space
        self.near = max(1, int(NEAR_SHARE * space.shape[1]))
        self._moved = _movement(space)
        self._ranks = [_ranks(step) for step in space]

    def score(self, maps: Sequence[NDArray[np.floating]] | NDArray[np.floating]) -> MapScores:
        """Return the scores of the maps of all steps, shape (T, N, 2)."""
        drawn = np.asarray(maps, dtype=np.float64)
        moved = _movement(drawn)
        there, here = self._moved / self._moved.max(), moved / moved.max()
        spearman, pearson = correlate_ways(there, here)
        ranks = [(space, _ranks(step)) for space, step in zip(self._ranks, drawn, strict=True)]
        shared = [((space <= self.near) & (shown <= self.near)).sum(1) - 1 for space, shown in ranks]
        return MapScores(
            spearman=spearman,
            pearson=pearson,
            stress=float(np.square(there - here).sum() / np.square(there).sum()),
            neighbours=float(np.mean(shared) / self.near),
            trust=float(np.mean([self._intruders(space, shown) for space, shown in ranks])),
            continuity=float(np.mean([self._intruders(shown, space) for space, shown in ranks])),
        )

    def _intruders(self, true: NDArray[np.int64], shown: NDArray[np.int64]) -> float:
        """Return one minus the weighed ranks, in `true`, of rows that are near in `shown` alone."""
        size, near = len(true), self.near
        beyond = np.where(shown <= near, np.maximum(true - near, 0), 0).sum()
        return float(1 - 2 / (size * near * (2 * size - 3 * near - 1)) * beyond)


def correlate_ways(there: NDArray[np.floating], here: NDArray[np.floating]) -> tuple[float, float]:
    """Return Spearman's and Pearson's correlation of how far rows move in the space and on the map, of shape (N,) each."""
    return float(np.corrcoef(rankdata(there), rankdata(here))[0, 1]), float(np.corrcoef(there, here)[0, 1])


def _movement(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each row moves from each step to the next, all in one list."""
    return np.linalg.norm(np.diff(points, axis=0), axis=2).ravel()


def _ranks(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rank of every row by its distance from every other, 0 for the row itself; shape (N, N)."""
    squares = np.square(points).sum(1)
    apart = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(apart, -np.inf)
    order = np.argsort(apart, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(points))[None, :], axis=1)
    return ranks
