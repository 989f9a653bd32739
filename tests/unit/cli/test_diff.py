"""`lamplighter diff`: two runs, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from lamplighter.cli.app import cli
from lamplighter.differences.reading import compare_folders
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import make_run
from tests.support.synthetic_runs.compared_runs import fork_of, recorded, trained_parent


@pytest.fixture
def pair(tmp_path: Path) -> tuple[RunFolder, RunFolder]:
    parent = trained_parent(tmp_path)
    fork = fork_of(parent, 10, lambda _: 1.25).train(3)
    fork.matrix[[1, 2, 3]] += np.float32(1)
    fork.train(9)
    assert parent.end()
    assert fork.end()
    return fork.run, parent.run


def typed(run: RunFolder, *words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in ("--runs", run.path.parent, "diff", *words)])


def test_in_words(pair: tuple[RunFolder, RunFolder]) -> None:
    fork, parent = pair
    told = typed(fork, fork.id, parent.id, "--at", 10, "--limit", 3, "--by", "raw")
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert lines[0] == f"step 10 of {fork.id} and step 20 of {parent.id}"
    assert lines[1] == f"{fork.id} is a fork of {parent.id}"
    assert lines[2] == f"the first step whose records differ is 1 of {fork.id}"
    assert (
        lines[3] == "loss of the batch: 1.25 and 3 (+1.7500, standard error 0.3028 by the choice of batches)"
    )
    assert {line.split()[0] for line in lines[-3:]} == {"dog", "Dog", "dogs"}
    other = typed(fork, parent.id, fork.id, "--at", 3).stdout.splitlines()
    assert "(it is the first that both have)" in other[0]
    control = typed(fork, fork.id, fork.id).stdout
    assert "two steps of one run" in control


def test_as_json(pair: tuple[RunFolder, RunFolder]) -> None:
    fork, parent = pair
    told = json.loads(typed(fork, fork.path, parent.path, "--at", 7, "--json").stdout)
    assert told == json.loads(
        compare_folders(fork, parent, 7).to_answer(limit=20).model_dump_json(by_alias=True)
    )
    assert (
        json.loads(typed(fork, fork.id, parent.id, "--at", 7, "--other-at", 2, "--json").stdout)["other_step"]
        == 2
    )


def test_what_cannot_be_compared_is_one_line(pair: tuple[RunFolder, RunFolder], tmp_path: Path) -> None:
    fork, _ = pair
    unbegun = make_run(RunStore(tmp_path))
    stranger = recorded(tmp_path / "stranger", [np.zeros((5, 4), dtype=np.float32)] * 2, tuple("vwxyz"))
    for words, reason in (
        ((fork.id, "nobody"), "no run"),
        ((fork.id, unbegun.id), "has not begun"),
        ((fork.id, stranger.id), "three words"),
        ((fork.id, fork.id, "--at", -1), "--at"),
    ):
        refused = typed(fork, *words)
        assert refused.exit_code != 0
        assert reason in f"{refused.output}{refused.exception}"
