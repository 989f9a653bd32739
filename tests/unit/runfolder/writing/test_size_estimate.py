"""The estimated size of a run on disk, against its real size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.model.batches import batch_positions
from lamplighter.runfolder.writing.size_estimate import estimate_lit_rows, estimate_size
from lamplighter.training.worker import train
from tests.support.runs import make_run, small_text


def recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate(changes)


@pytest.mark.parametrize(
    ("kind", "steps", "factor"),
    [("lazy", 700, 1.4), ("adam", 700, 1.4)],
)
def test_estimates_match_small_runs(tmp_path: Path, kind: str, steps: int, factor: float):
    run = make_run(tmp_path, steps=steps, optimiser={"kind": kind})
    assert train(run) == "finished"
    taken = run.bytes_on_disk()
    said = estimate_size(run.recipe, len(run.vocabulary), len(small_text().encode()), without_workers=True)
    assert taken / factor < said.bytes < taken * factor
    assert sum(said.as_dict()["parts"].values()) == said.whole
    # From the recipe alone the vocabulary is an upper bound, so the estimate is rarely too low.
    assert estimate_size(run.recipe, without_workers=True).bytes > taken / factor


def test_estimated_lit_rows_match_lamptown():
    corpus = build_corpus(Recipe().corpus, 0, None, None)
    for shape in ({"sequences": 4, "passages": 2}, {}, {"sequences": 64, "passages": 16}):
        asked = recipe(**shape)
        batches = [batch_positions(asked, len(corpus.token_ids), step)[:, :-1] for step in range(1, 20)]
        seen = np.mean([len(np.unique(corpus.token_ids[batch])) for batch in batches])
        assert 0.75 < estimate_lit_rows(asked, len(corpus.vocabulary)) / seen < 1.35
    known, guessed = estimate_size(Recipe(), len(corpus.vocabulary)), estimate_size(Recipe())
    assert abs(guessed.keyframes - known.keyframes) < 0.05 * known.keyframes


def test_estimates_change_in_the_right_direction():
    usual = estimate_size(Recipe())
    assert usual.fits
    assert usual.exact
    # A default run has 27, of which two are its checkpoints, and the first has no moments.
    assert 24 < usual.waypoints / (usual.checkpoints / 2) < 25
    assert estimate_size(recipe(cadence={"waypoint_every": 100_000})).waypoints < usual.waypoints / 3
    assert estimate_size(recipe(steps=1)).waypoints < usual.checkpoints / 4
    assert estimate_size(recipe(steps=10_000)).moved_rows == 2 * usual.moved_rows
    assert estimate_size(recipe(cadence={"keyframe_every": 1_000})).keyframes < usual.keyframes
    assert estimate_size(recipe(model={"dim": 128})).bytes > 1.5 * usual.bytes
    assert estimate_size(Recipe(), without_workers=True).moved_rows > usual.moved_rows
    dense = estimate_size(recipe(optimiser={"kind": "adam"}))
    assert not dense.exact
    assert dense.moved_rows == 0
    few = estimate_size(recipe(disk_budget=50_000_000))
    assert not few.fits
    assert few.bytes == 50_000_000 < few.whole
    text = recipe(corpus={"kind": "text", "vocabulary_size": 200_000})
    assert estimate_size(text, text_bytes=1_000).bytes < estimate_size(text).bytes
    # The largest values do not overflow. Only a client's loop may have all of them at once.
    largest = recipe(
        steps=100_000_000,
        sequences=65_536,
        passages=65_536,
        model={"dim": 16_384, "layers": 64, "context": 4_096},
        corpus={"kind": "recorded", "vocabulary_size": 200_000},
        disk_budget=10**15,
    )
    assert 10**14 < estimate_size(largest).bytes < 10**17
