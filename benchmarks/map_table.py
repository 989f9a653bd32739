"""The living map on the published table of dynamic projections (`benchmarks/support/dynamic_projections.py` tells which).

`python -m benchmarks map_table --clone PATH` reads a clone of `EduardoVernier/landmark-based-dynamic-projections`. It scores
the maps that are there, as a check of our measures against the published scores; then the living map with
`motion="faithful"`, one update a step, on five seeds; then the joint layout of the smoothed replay, which sees the future.
The settings were chosen on the first two sets and on seeds 0 to 2 alone.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.dynamic_projections import (
    NEAR_SHARE,
    SETS,
    MapScores,
    PublishedSet,
    read_maps,
    read_scores,
    read_set,
)
from benchmarks.support.report import report
from living_map.estimator import LivingMap
from living_map.joint_umap import LEARNING_RATES, JointLayout
from living_map.settings import MapSettings

SEEDS = range(5)
EPOCHS = 100
"""Epochs of an update: half as many as C-UMAP has."""
CAUSAL = ("ctsne-p30", "cumap", "pca_s1", "tsne_s1_30p", "umap_s1_15p")
"""The published methods that know no later step."""
PUBLISHED = {"spearman": "stab_spearman", "pearson": "stab_pearson", "neighbours": "spat_np_0.05"}
"""Their names of the measures. Trust and continuity are left out: their code counts ranks from one lower."""


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks map_table", description=__doc__)
    parser.add_argument(
        "--clone", type=Path, required=True, help="a clone of the repository that has the table"
    )
    parser.add_argument("--set", action="append", choices=SETS, help="a set; all, if none is given")
    given = parser.parse_args(sys.argv[sys.argv.index("map_table") + 1 :])
    met = [_measure(given.clone, name) for name in given.set or SETS]
    return all(met)


def _measure(clone: Path, name: str) -> bool:
    data = PublishedSet(read_set(clone, name))
    theirs = {method: data.score(maps) for method, maps in read_maps(clone, name).items()}
    published = read_scores(clone, name)
    met = _check(name, theirs, published)
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
    met &= report(
        f"map_table_{name}_motion", mean["spearman"] + mean["pearson"] - sums[best],
        "sum of both correlations of movement, ahead of the best causal method", best=best, causal=sums, **facts,
    )  # fmt: skip
    met &= report(
        f"map_table_{name}_over_cumap", mean["neighbours"] - theirs["cumap"].neighbours,
        "share of neighbours kept, ahead of C-UMAP", worst_seed=min(one.neighbours for one in ours),
        cumap=theirs["cumap"].rounded(),
    )  # fmt: skip
    if name == SETS[0]:
        for key in PUBLISHED:
            met &= report(f"map_table_{name}_{key}", mean[key], "mean of five seeds")
    replay = data.score(_replay(data.space))
    foreseeing = {
        method: {key: round(scores[there], 4) for key, there in PUBLISHED.items()}
        for method, scores in published.items()
        if method not in CAUSAL
    }
    return met & report(
        f"map_table_{name}_replay", replay.spearman + replay.pearson,
        "sum of both correlations of movement, of a layout that sees all steps", replay=replay.rounded(),
        theirs=foreseeing,
    )  # fmt: skip


def _check(name: str, theirs: dict[str, MapScores], published: dict[str, dict[str, float]]) -> bool:
    """Report the largest difference between our scores of their maps and theirs, if any are published."""
    checked = theirs.keys() & published.keys()
    if not checked:
        return True
    differences = {
        key: max(abs(theirs[method].rounded()[key] - published[method][there]) for method in checked)
        for key, there in PUBLISHED.items()
    }
    return report(
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


if __name__ == "__main__":
    sys.argv.insert(1, "map_table")
    sys.exit(0 if main() else 1)
