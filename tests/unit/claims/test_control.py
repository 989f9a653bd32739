"""The control of a run: found among many others by its recipe and words, with one look at the folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from lamplighter.claims import matrix_evidence
from lamplighter.claims.control import (
    find_control,
    find_other_seed,
    gather_with_control,
    make_control_recipe,
    read_control,
)
from lamplighter.claims.gathering import read_moment
from lamplighter.claims.matrix_evidence import compare_with_seed
from lamplighter.contract.recipe import CorpusRecipe, ModelRecipe, Recipe
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.folders import TOKENS, FakeTrainer, finished_run
from tests.support.machine.disk_accesses import disk_accesses

RECIPE = Recipe(
    corpus=CorpusRecipe(kind="lamptown"), model=ModelRecipe(dim=4, heads=2, context=8), passages=2, steps=9
)


def make(store: RunStore, recipe: Recipe, *tokens: str) -> RunFolder:
    """Make a run that has read these words."""
    run = store.create(recipe)
    tokens = tokens or ("a", "b")
    vocabulary = Vocabulary(tokens, np.ones(len(tokens), dtype=np.int64))
    run.write_corpus(np.zeros(20, dtype=np.uint32), vocabulary, "{}")
    return run


def test_finds_the_newest_run_of_the_same_recipe_with_shuffled_words(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = make(store, RECIPE)
    assert find_control(run) is None
    shuffled = make_control_recipe(RECIPE)
    make(store, shuffled.model_copy(update={"seed": 1}))
    make(store, shuffled, "a", "another text")
    make(store, RECIPE)
    store.create(shuffled)
    assert find_control(run) is None
    first = make(store, shuffled)
    found = find_control(run)
    assert found is not None
    assert found.id == first.id
    shorter = make(store, make_control_recipe(RECIPE, steps=5))
    # Two recipes may be written within one clock tick.
    os.utime(shorter.path / "recipe.json", times=(time.time() + 1, time.time() + 1))
    found = find_control(RunFolder(run.path))
    assert found is not None
    assert (found.id, found.recipe.steps) == (shorter.id, 5)
    assert find_control(shorter) is None
    store.trash(shorter)
    found = find_control(run)
    assert found is not None
    assert found.id == first.id


def test_many_runs_take_one_look_at_the_folder(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = make(store, RECIPE)
    for seed in range(1, 30):
        make(store, RECIPE.model_copy(update={"seed": seed}))
    make(store, make_control_recipe(RECIPE))
    # Like a folder that has not changed for a while.
    os.utime(tmp_path, (1, 1))
    assert find_control(run) is not None
    with disk_accesses() as made:
        assert find_control(run) is not None
    others = [one for one in made if "recipe.json" in one.what and run.id not in one.what]
    assert (others, len(made) < 10) == ([], True)


def test_the_controls_evidence_is_of_its_own_step_and_a_damaged_control_is_left_out(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    control = RunStore(tmp_path).create(make_control_recipe(run.recipe))
    control.write_corpus(np.asarray(run.token_ids), run.vocabulary, "{}")
    FakeTrainer(control).begin().train(20).crash()
    found = read_control(run)
    assert found is not None
    evidence = gather_with_control(run, LruCache(), read_moment(run), found)
    assert evidence.control is not None
    assert (evidence.step, evidence.control.step, evidence.control.training) == (35, 20, True)
    control.steps_path.write_bytes(b"no database" * 100)
    assert read_control(RunFolder(run.path)) is None


@pytest.mark.parametrize("kind", ["recorded", "shuffled"])
def test_a_recorded_run_and_a_shuffled_one_have_no_control(tmp_path: Path, kind: str) -> None:
    store = RunStore(tmp_path)
    run = make(store, make_control_recipe(RECIPE))
    make(store, make_control_recipe(RECIPE))
    if kind == "recorded":
        recorded = CorpusRecipe(kind="recorded")
        text = RECIPE.model_copy(update={"corpus": recorded}).model_dump_json()
        (run.path / "recipe.json").write_text(text, encoding="utf-8")
    assert find_control(RunFolder(run.path)) is None


def test_a_run_of_another_seed_counts_once_it_is_over_and_came_half_as_far(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    step = read_moment(run).step

    def train(seed: int, steps: int) -> FakeTrainer:
        other = RunStore(tmp_path).create(run.recipe.model_copy(update={"seed": seed}))
        other.write_corpus(np.asarray(run.token_ids), run.vocabulary, "{}")
        return FakeTrainer(other).begin().train(steps)

    train(7, step).crash()
    assert train(8, step // 2 - 1).end()
    assert find_other_seed(run, step) is None
    assert train(9, step // 2 + 1).end()
    found = find_other_seed(run, step)
    assert found is not None
    assert found.recipe.seed == 9
    shuffled = RunStore(tmp_path).create(make_control_recipe(run.recipe))
    assert find_other_seed(shuffled, 0) is None


def test_another_text_of_the_same_name_is_not_another_seed(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    brought = finished_run(tmp_path).recipe.model_copy(
        update={"corpus": CorpusRecipe(kind="text", name="notes")}
    )

    def train(seed: int, *, times: int) -> RunFolder:
        run = store.create(brought.model_copy(update={"seed": seed}), "a text")
        vocabulary = Vocabulary(TOKENS, np.full(len(TOKENS), times, dtype=np.int64))
        run.write_corpus(np.zeros(20, dtype=np.uint32), vocabulary, "{}")
        assert FakeTrainer(run).begin().train(30).end()
        return run

    run = train(0, times=1)
    train(1, times=2)
    assert find_other_seed(run, 30) is None
    same = train(2, times=1)
    found = find_other_seed(run, 30)
    assert found is not None
    assert found.id == same.id


def test_a_matrix_that_is_too_large_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, other = finished_run(tmp_path), finished_run(tmp_path)
    assert compare_with_seed(run, other, LruCache(), 30) is not None
    monkeypatch.setattr(matrix_evidence, "MAX_NUMBERS", len(TOKENS) * run.recipe.model.dim - 1)
    assert compare_with_seed(run, other, LruCache(), 30) is None
