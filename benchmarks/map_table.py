"""The living map on the published table of dynamic projections.

Vernier, Garcia, da Silva, Comba and Telea, "Quantitative evaluation of time-dependent multidimensional projection
techniques" (2020), and Vernier, Comba and Telea, "Guided stable dynamic projections" (2021). The repository of the second,
`EduardoVernier/landmark-based-dynamic-projections`, has the data and the maps of both papers' methods. It has no licence,
so `python -m benchmarks map_table --clone PATH` reads a clone, and nothing of it is kept here.

It scores the maps that are there, as a check of our measures against the published scores; then the living map with
`motion="faithful"`, one update a step, on five seeds; then the joint layout of the smoothed replay, which sees the future.
The settings were chosen on the first two sets and on seeds 0 to 2 alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import statistics
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.map_quality import correlate_ways
from benchmarks.support.report import report
from living_map.estimator import LivingMap
from living_map.joint_umap import LEARNING_RATES, JointLayout
from living_map.settings import MapSettings

SETS = ("cifar10cnn", "cartolastd", "sorts", "minigaussians")
"""The sets whose data are whole in the repository."""
NEAR_SHARE = 0.05
"""Neighbours that are compared, as a share of the rows."""
SEEDS = range(5)
EPOCHS = 100
"""Epochs of an update: half as many as C-UMAP has."""
CAUSAL = ("ctsne-p30", "cumap", "pca_s1", "tsne_s1_30p", "umap_s1_15p")
"""The published methods that know no later step."""
PUBLISHED = {"spearman": "stab_spearman", "pearson": "stab_pearson", "neighbours": "spat_np_0.05"}
"""Their names of the measures. Trust and continuity are left out: their code counts ranks from one lower."""


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks map_table", description=__doc__)
    parser.add_argument(
        "--clone", type=Path, required=True, help="a clone of the repository that has the table"
    )
    parser.add_argument("--set", action="append", choices=SETS, help="a set; all, if none is given")
    given = parser.parse_args(arguments)
    for name in given.set or SETS:
        _measure(given.clone, name)


def _measure(clone: Path, name: str) -> None:
    data = PublishedSet(read_set(clone, name))
    theirs = {method: data.score(maps) for method, maps in read_maps(clone, name).items()}
    published = read_scores(clone, name)
    _check(name, theirs, published)
    ours = [data.score(_live(data.space, seed)) for seed in SEEDS]
    mean = {key: statistics.fmean(one.rounded()[key] for one in ours) for key in ours[0].rounded()}
    facts: dict[str, Any] = {
        "rows": data.space.shape[1], "steps": len(data.space), "mean": mean,
        "seeds": [one.rounded() for one in ours],
    }  # fmt: skip
    sums = {
        method: scores[PUBLISHED["spearman"]] + scores[PUBLISHED["pearson"]]
        for method, scores in published.items()
        if method in CAUSAL
    } or {method: one.spearman + one.pearson for method, one in theirs.items() if method in CAUSAL}
    best = max(sums, key=sums.__getitem__)
    report(
        f"map_table_{name}_motion", mean["spearman"] + mean["pearson"] - sums[best],
        "sum of both correlations of movement, ahead of the best causal method", best=best, causal=sums, **facts,
    )  # fmt: skip
    report(
        f"map_table_{name}_over_cumap", mean["neighbours"] - theirs["cumap"].neighbours,
        "share of neighbours kept, ahead of C-UMAP", worst_seed=min(one.neighbours for one in ours),
        cumap=theirs["cumap"].rounded(),
    )  # fmt: skip
    if name == SETS[0]:
        for key in PUBLISHED:
            report(f"map_table_{name}_{key}", mean[key], "mean of five seeds")
    replay = data.score(_replay(data.space))
    foreseeing = {
        method: {key: round(scores[there], 4) for key, there in PUBLISHED.items()}
        for method, scores in published.items()
        if method not in CAUSAL
    }
    report(
        f"map_table_{name}_replay", replay.spearman + replay.pearson,
        "sum of both correlations of movement, of a layout that sees all steps", replay=replay.rounded(),
        theirs=foreseeing,
    )  # fmt: skip


def _check(name: str, theirs: dict[str, MapScores], published: dict[str, dict[str, float]]) -> None:
    """Report the largest difference between our scores of their maps and theirs, if any are published."""
    checked = theirs.keys() & published.keys()
    if not checked:
        return
    differences = {
        key: max(abs(theirs[method].rounded()[key] - published[method][there]) for method in checked)
        for key, there in PUBLISHED.items()
    }
    report(
        f"map_table_{name}_reproduced", max(differences["spearman"], differences["pearson"]),
        "largest difference from the published correlations", maps=len(checked), differences=differences,
    )  # fmt: skip


def neighbours_for(rows: int) -> int:
    """Return the graph's neighbours for a set: as many as are compared, but no fewer than UMAP's usual 15 and no more than our
    usual 40."""
    return int(np.clip(NEAR_SHARE * rows, 15, MapSettings.neighbours))


def _live(space: NDArray[np.float64], seed: int) -> list[NDArray[np.float32]]:
    """Return the maps of all steps, each drawn when the later ones are not known."""
    settings: dict[str, Any] = {
        "n_neighbors": neighbours_for(space.shape[1]), "metric": "euclidean", "motion": "faithful",
        "update_epochs": EPOCHS, "random_state": seed,
    }  # fmt: skip
    living = LivingMap(**settings)
    return [living.update(step).embedding_ for step in space]


def _replay(space: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the maps of the smoothed replay."""
    steps = space.astype(np.float32)
    layout = JointLayout(len(steps), steps.shape[1], MapSettings(neighbours=neighbours_for(steps.shape[1])))
    for sweep in range(len(LEARNING_RATES)):
        order = range(len(steps)) if sweep % 2 else reversed(range(len(steps)))
        for index in order:
            layout.refine_slice(index, steps[index], sweep)
    layout.remove_jitter()
    return layout.coordinates


@dataclass(frozen=True)
class MapScores:
    """How faithful the maps of all steps of a set are."""

    spearman: float
    """Rank correlation of how far a row moves in the space and on the map, from each step to the next, over all rows and
    steps; like `pearson`."""
    pearson: float
    neighbours: float
    """Share of a row's nearest rows in the space that are among its nearest on the map, mean over rows and steps."""

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
        spearman, pearson = correlate_ways(self._moved, _movement(drawn))
        ranks = [(space, _ranks(step)) for space, step in zip(self._ranks, drawn, strict=True)]
        shared = [((space <= self.near) & (shown <= self.near)).sum(1) - 1 for space, shown in ranks]
        return MapScores(
            spearman=spearman,
            pearson=pearson,
            neighbours=float(np.mean(shared) / self.near),
        )


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
