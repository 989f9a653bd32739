"""Quality and stability of the map over a recorded run: the living map compared with the other methods.

The living map and PCA, whose directions follow the embedding, draw every frame. The classic refit is fitted to pairs of
neighbouring snapshots, each pair separately, and its second fit is aligned to its first.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.support.refit_umap import fit, fit_beside
from benchmarks.support.report import report
from lamplighter.projection.linear_view import principal_view
from living_map.incremental_umap import IncrementalUmap
from living_map.nearest_neighbours import NeighbourIndex
from living_map.settings import MapSettings
from living_map.trust import TrustProbe

COMPARED = 8
"""Number of snapshots of a run that get a cold fit."""
CALM = 20
"""Least number of tokens with unchanged row and neighbours for a frame to count."""

Places = NDArray[np.float32]


@dataclass
class MethodScores:
    """Scores of one layout method over a run."""

    trust: list[float] = field(default_factory=list[float])
    recall: list[float] = field(default_factory=list[float])
    displacements: list[float] = field(default_factory=list[float])
    """Median displacement of the calm tokens per frame, as a share of the map's diameter."""
    seconds: list[float] = field(default_factory=list[float])
    """Processor seconds per frame."""

    def add_trust(self, probe: TrustProbe, places: Places) -> None:
        """Append the trust and recall of this layout, measured against the space that the probe last read."""
        found = probe.estimate(places)
        self.trust.append(found.trust)
        self.recall.append(found.recall)

    def draw_timed(self, draw: Callable[[Places], Places], vectors: Places) -> Places:
        """Draw the method's next frame and append its processor time."""
        began = time.process_time()
        places = draw(vectors)
        self.seconds.append(time.process_time() - began)
        return places

    def summary(self) -> dict[str, float]:
        """Return the medians over the frames, and the means over the snapshots compared."""
        return {
            "trust": float(np.mean(self.trust)),
            "recall": float(np.mean(self.recall)),
            "calm_share_of_diameter": float(np.median(self.displacements)) if self.displacements else 0.0,
            "frame_seconds": float(np.median(self.seconds)) if self.seconds else 0.0,
        }


def measure_quality(kind: str, snapshots: list[Places], every: int) -> None:
    """Report on a run's snapshots, `every` steps apart."""
    calm = _calm(snapshots)
    probe = TrustProbe(len(snapshots[0]))
    settings = MapSettings()
    living = IncrementalUmap(settings)
    # The first snapshots are a random cloud, in which trust means nothing.
    at = np.linspace(0, len(snapshots) - 2, COMPARED + 1).round().astype(int)[1:].tolist()
    shown = {name: MethodScores() for name in ("living", "refit", "pca", "still")}
    last: dict[str, Places] = {}
    followed: dict[str, Callable[[Places], Places]] = {
        "living": living.draw_frame,
        "pca": lambda vectors: principal_view(vectors, 0, 0, last.get("pca")).project(vectors),
    }
    for name, draw in followed.items():
        last[name] = draw(snapshots[0])
    first = last["living"]
    for n, vectors in enumerate(snapshots[1:], 1):
        for name, draw in followed.items():
            before, last[name] = last[name], shown[name].draw_timed(draw, vectors)
            if len(calm[n - 1]) >= CALM:
                shown[name].displacements.append(displacement(before, last[name], calm[n - 1]))
        if n not in at:
            continue
        probe.set_space(vectors)
        # Each fit gets its own seed: with one seed for both, the second would start like the first.
        one, two = (replace(settings, seed=seed) for seed in (n, n + 1))
        fitted = shown["refit"].draw_timed(partial(fit, settings=one), vectors)
        after = shown["refit"].draw_timed(partial(fit_beside, settings=two, before=fitted), snapshots[n + 1])
        if len(calm[n]) >= CALM:
            shown["refit"].displacements.append(displacement(fitted, after, calm[n]))
        # A map that never moves wins on speed and calm; only trust shows its weakness.
        pictures = {**last, "refit": fitted, "still": first}
        for name, places in pictures.items():
            shown[name].add_trust(probe, places)
    facts: dict[str, Any] = {"tokens": len(snapshots[0]), "steps_between_frames": every}
    _report(kind, shown, facts, _rest(kind, living, snapshots[-1]))


def _report(kind: str, shown: dict[str, MethodScores], facts: dict[str, Any], rested: bool) -> None:
    living, refit, still = shown["living"], shown["refit"], shown["still"]
    both = ((living.trust, refit.trust), (living.recall, refit.recall))
    trust, recall = (float(np.mean(a) / np.mean(b)) for a, b in both)
    each_trust, each_recall = (np.array(a) / np.array(b) for a, b in both)
    methods = {name: one.summary() for name, one in shown.items()}
    moved, jumped = (methods[name]["calm_share_of_diameter"] for name in ("living", "refit"))
    met = [
        report(
            f"map_{kind}_trust", trust, "of the cold fits' trustworthiness over the run",
            mean_of_ratios=float(each_trust.mean()), worst=float(each_trust.min()), **facts,
        ),
        report(
            f"map_{kind}_recall", recall, "of the cold fits' recall over the run",
            mean_of_ratios=float(each_recall.mean()), worst=float(each_recall.min()), **facts,
        ),
        report(
            f"map_{kind}_calm", moved / jumped, "of refits' displacement, tokens that did not change",
            frames=len(living.displacements), **facts,
        ),
        rested,
    ]  # fmt: skip
    stands = float(np.mean(np.array(still.trust) / np.array(refit.trust)))
    report(
        f"map_{kind}_together", float(all(met)), "1 when trust, recall, calm and rest are all met",
        standing_still_trust=stands, standing_still_would_pass=stands >= 0.98, methods=methods, **facts,
    )  # fmt: skip


def _rest(kind: str, layout: IncrementalUmap, vectors: Places) -> bool:
    """Report the seconds for a map of a frozen space to settle.

    Frames are drawn at the projector's pace, at most eight a second.
    """
    seconds, frames, moved = 0.0, 0, 1.0
    before = layout.draw_frame(vectors)
    while moved >= 1e-3 and frames < 100:
        began = time.process_time()
        places = layout.draw_frame(vectors)
        seconds += max(0.125, time.process_time() - began)
        frames += 1
        moved, before = displacement(before, places, np.arange(len(places))), places
    return report(
        f"map_{kind}_rest", seconds, "s until the median movement is below 0.1 % of the diameter",
        frames=frames, movement=moved,
    )  # fmt: skip


def displacement(before: Places, after: Places, ids: NDArray[np.integer]) -> float:
    """Return the median displacement of some tokens, as a share of the map's diagonal."""
    diameter = np.hypot(*np.ptp(after, axis=0))
    return float(np.median(np.linalg.norm(after[ids] - before[ids], axis=1)) / diameter)


def correlate_ways(there: NDArray[np.floating], here: NDArray[np.floating]) -> tuple[float, float]:
    """Return Spearman's and Pearson's correlation of how far rows move in the space and on the map, of shape (N,) each."""
    return float(np.corrcoef(rankdata(there), rankdata(here))[0, 1]), float(np.corrcoef(there, here)[0, 1])


def _calm(snapshots: list[Places]) -> list[NDArray[np.int64]]:
    """Return the tokens whose row and neighbours stayed the same, for each pair of successive snapshots."""
    kept = NeighbourIndex(MapSettings().neighbours - 1)
    found: list[NDArray[np.int64]] = []
    kept.update(snapshots[0])
    before = np.sort(kept.ids, axis=1)
    for last, vectors in itertools.pairwise(snapshots):
        kept.update(vectors)
        now = np.sort(kept.ids, axis=1)
        found.append(np.flatnonzero((now == before).all(axis=1) & (vectors == last).all(axis=1)))
        before = now
    return found
