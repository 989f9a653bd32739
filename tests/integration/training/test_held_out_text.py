"""Held-out text, from the user's file to the measures: held out, measured, resumed, shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.analysis.analyst import Analyst
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train
from tests.support.runs import finish, kill, make_run, small_recipe, small_text, start_worker, wait_for_step

WORDS = 25_000
"""Punctuation marks included."""


def make_long_run(runs: Path) -> RunFolder:
    return RunStore(runs).create(small_recipe(), small_text(WORDS))


def losses(run: RunFolder) -> dict[int, float]:
    with StepsReader(run.steps_path) as reader:
        return reader.held_out_losses(0, 99)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_long_run(tmp_path_factory.mktemp("reference"))
    assert train(run) == "finished"
    return run


def test_measures_the_loss_at_every_keyframe(reference: RunFolder) -> None:
    assert reference.held_out_ids is not None
    read = len(reference.token_ids)
    assert 0.09 < len(reference.held_out_ids) / (read + len(reference.held_out_ids)) < 0.11
    assert int(reference.vocabulary.counts.sum()) == read
    found = losses(reference)
    assert list(found) == [0, 20, 40, 60]
    assert found[60] < found[0] - 0.2


def test_a_killed_run_measures_the_same(tmp_path: Path, reference: RunFolder) -> None:
    run = make_long_run(tmp_path)
    process = start_worker(run)
    wait_for_step(run, 30)
    kill(process)
    assert finish(start_worker(run)) == 0
    assert len(losses(run)) == 4
    assert losses(run) == losses(reference)


def test_the_loss_is_among_the_measures(reference: RunFolder) -> None:
    Analyst(reference).run()
    with MeasuresReader(reference.measures_path) as reader:
        found = reader.by_step()
    assert {step: values["loss_held_out"] for step, values in found.items()} == losses(reference)
    assert "loss_read" not in found[0], "no batch was read yet"
    assert found[60]["loss_read"] < found[20]["loss_read"]
    assert "effective_rank" in found[60]


def test_a_short_text_has_no_held_out_loss(tmp_path: Path) -> None:
    run = make_run(tmp_path, steps=20)
    assert train(run) == "finished"
    assert not run.held_out_path.exists()
    assert losses(run) == {}
    Analyst(run).run()
    with MeasuresReader(run.measures_path) as reader:
        assert not any("loss_held_out" in values for values in reader.by_step().values())
