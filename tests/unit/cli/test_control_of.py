"""`lamplighter train --control-of`: the same recipe and text in random order, and in one line what has no control."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

import lamplighter
from lamplighter.claims.control import find_control
from lamplighter.cli.app import cli
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.corpus_setup import prepare_corpus
from tests.support.runs import make_run


def train(runs: Path, *words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in ("--runs", runs, "train", "--json", *words)])


def test_the_control_reads_the_words_of_each_document_in_another_order(tmp_path: Path) -> None:
    run = make_run(tmp_path, steps=5)
    prepare_corpus(run)
    done = train(tmp_path, "--control-of", run.id, "--steps", 2)
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    control = RunStore(tmp_path).find(summary["id"])
    assert (summary["phase"], summary["step"]) == ("finished", 2)
    assert control.recipe.corpus.shuffle_words
    same = {"corpus": run.recipe.corpus, "steps": run.recipe.steps}
    assert control.recipe.model_copy(update=same) == run.recipe
    assert not np.array_equal(control.token_ids, run.token_ids)
    assert np.array_equal(np.sort(control.token_ids), np.sort(run.token_ids))
    # The board finds it: nothing has to name it. A path finds the run, wherever it is.
    found = find_control(run)
    assert found is not None
    assert found.id == control.id
    elsewhere = train(tmp_path / "elsewhere", "--control-of", run.path, "--steps", 1)
    assert elsewhere.exit_code == 0, elsewhere.output
    assert (tmp_path / json.loads(elsewhere.stdout)["id"]).is_dir()


def test_a_run_without_a_control_is_one_line(tmp_path: Path) -> None:
    run, store = make_run(tmp_path), RunStore(tmp_path)

    def refused(*words: object) -> str:
        before = {one.id for one in store.runs()}
        done = train(tmp_path, *words)
        assert done.exit_code != 0, done.output
        assert {one.id for one in store.runs()} == before
        return done.output + str(done.exception)

    assert "no run 'nothing'" in refused("--control-of", "nothing")
    assert "--seed is part of the recipe" in refused("--control-of", run.id, "--seed", 3)
    assert "--resume continues" in refused("--control-of", run.id, "--resume", run.id)
    assert "steps" in refused("--control-of", run.id, "--steps", 0)
    shuffled = store.create(Recipe.model_validate({"corpus": {"shuffle_words": True}}))
    assert "is itself a control" in refused("--control-of", shuffled.id)
    run.source_path.unlink()
    assert "cannot be read" in refused("--control-of", run.id)
    weights = np.ones((4, 4), dtype=np.float32)
    with lamplighter.record(tmp_path / "mine", ["a", "b", "c", "d"], embedding=weights) as recorder:
        recorder.step(weights, [0], 1.0)
    assert "an external training loop" in refused("--control-of", "mine")
