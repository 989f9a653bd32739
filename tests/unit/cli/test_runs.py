"""`lamplighter runs`: lists that are filtered and sorted, and names that a person gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lamplighter.cli.app import cli
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import FakeTrainer, make_run


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, list[RunFolder]]:
    """Two runs: the first is longer, the second has the lower loss."""
    store, made = RunStore(tmp_path / "runs"), list[RunFolder]()
    for steps, loss in ((20, 3.0), (10, 2.0)):
        run = make_run(store, steps=steps)
        trainer = FakeTrainer(run, loss_of=lambda _, loss=loss: loss).begin().train(steps)
        trainer.end()
        made.append(run)
    return store.path, made


def listed(folder: Path, *words: str) -> list[str]:
    """Return the ids in a list, in its order."""
    done = CliRunner().invoke(cli, ["--runs", str(folder), "runs", "list", *words])
    assert done.exit_code == 0, done.output
    return [line.split()[0] for line in done.output.splitlines() if " step " in line]


def test_runs_are_sorted_and_chosen_as_on_the_page(runs: tuple[Path, list[RunFolder]]):
    folder, (longer, better) = runs
    assert set(listed(folder)) == {longer.id, better.id}
    assert listed(folder, "--sort", "loss") == [better.id, longer.id]
    assert listed(folder, "--sort", "steps") == [longer.id, better.id]
    assert listed(folder, "--search", better.id[-6:]) == [better.id]
    assert listed(folder, "--state", "waiting") == []


def test_a_run_gets_a_name_that_stands_beside_its_loss(runs: tuple[Path, list[RunFolder]]):
    folder, (longer, _) = runs
    told = CliRunner().invoke(cli, ["--runs", str(folder), "runs", "rename", longer.id, "A  quiet\ttown"])
    assert (told.exit_code, told.output) == (0, f"{longer.id} is named A quiet town\n")
    assert listed(folder, "--search", "quiet") == [longer.id]
    line = CliRunner().invoke(cli, ["--runs", str(folder), "runs"]).output
    assert "loss 3.000  A quiet town\n" in line


def test_runs_are_compared_as_diff_does(runs: tuple[Path, list[RunFolder]]):
    folder, made = runs
    said = {
        CliRunner().invoke(cli, ["--runs", str(folder), *words, *(run.id for run in made), "--json"]).output
        for words in (["runs", "compare"], ["diff"])
    }
    assert len(said) == 1
    assert json.loads(said.pop())["run"] == made[0].id


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--state", "asleep"), "asleep is none of waiting"),
        (("rename", "nosuch", "x"), "there is no run 'nosuch'"),
        (("open", "nosuch"), "there is no run 'nosuch'"),
        (("rename", "RUN", "\u202e"), "characters that cannot be seen"),
    ],
)
def test_what_cannot_be_done_is_said(runs: tuple[Path, list[RunFolder]], words: tuple[str, ...], said: str):
    folder, (first, _) = runs
    done = CliRunner().invoke(
        cli, ["--runs", str(folder), "runs", *(first.id if word == "RUN" else word for word in words)]
    )
    assert done.exit_code != 0
    assert said in done.output or said in str(done.exception)
