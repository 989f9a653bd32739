"""`lamplighter fork`: a fork beside its parent, what `lamplighter runs` says of it, and refusals of one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lamplighter
from lamplighter.cli.app import cli
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import SET_FILE
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train
from tests.support.runs import make_run, small_text


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_run(tmp_path_factory.mktemp("runs"), steps=20)
    assert train(run) is Phase.FINISHED
    return run


def call(runs: Path, *words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in ("--runs", runs, *words)])


def test_trains_a_fork(parent: RunFolder) -> None:
    runs = parent.path.parent
    settings = ("--set", "optimiser.learning_rate=0.01", "--set", "optimiser.kind=sgd", "--freeze", "output")
    done = call(runs, "fork", parent.id, "--at", 12, *settings, "--steps", 3, "--name", "What if", "--json")
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert (summary["phase"], summary["step"]) == ("finished", 3)
    fork = lamplighter.open(runs / summary["id"])
    assert np.array_equal(fork.snapshot(0), lamplighter.open(parent.path).snapshot(12))
    assert (fork.folder / "name.txt").read_text() == "What if"
    assert fork.recipe.optimiser.frozen == ("output",)
    lines = call(runs, "runs").stdout.splitlines()
    (line,) = (line for line in lines if line.startswith(fork.id))
    assert line.endswith(
        f"  from 12, learning rate 0.01, optimiser sgd, output frozen, a fork of {parent.id}  What if"
    )
    listed = [json.loads(line) for line in call(runs, "runs", "--json").stdout.splitlines()]
    assert {one["id"]: one["parent"] and one["parent"]["step"] for one in listed}[fork.id] == 12


def test_reads_a_text_and_may_leave_the_training(parent: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text(small_text(seed=9))
    made = call(parent.path.parent, "fork", parent.path, "--at", 5, "--text", path, "--no-train")
    assert made.exit_code == 0, made.output
    fork = RunStore(parent.path.parent).find(made.stdout.strip())
    assert fork.recipe.corpus.name == "other.txt"
    assert fork.source_path.read_text() == path.read_text()
    assert fork.start_path.exists()


def test_a_fork_of_a_member_lies_beside_the_set(parent: RunFolder, tmp_path: Path) -> None:
    """A server trains no run inside a set."""
    member = tmp_path / "set" / parent.id
    shutil.copytree(parent.path, member)
    (member.parent / SET_FILE).write_text("{}")
    made = call(tmp_path, "fork", member, "--at", 5, "--no-train")
    assert made.exit_code == 0, made.output
    other = lamplighter.open(member).fork(at=6)
    assert {path.name for path in tmp_path.iterdir()} == {"set", made.stdout.strip(), other.id}
    assert {path.name for path in member.parent.iterdir()} == {parent.id, SET_FILE}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nothing", "--at", 1), "no run"),
        (("RUN",), "--at"),
        (("RUN", "--at", 21), "has the steps 0 to 20"),
        (("RUN", "--at", 1, "--set", "sequences"), "FIELD=VALUE"),
        (("RUN", "--at", 1, "--set", "model.dim=8"), "cannot be changed"),
        (("RUN", "--at", 1, "--freeze", "output", "--set", 'optimiser.frozen="embedding"'), "given twice"),
        (("RUN", "--at", 1, "--plant", "robot android antenna"), "Lamptown"),
    ],
)
def test_a_refusal_is_one_line(parent: RunFolder, words: tuple[object, ...], says: str) -> None:
    store = RunStore(parent.path.parent)
    before = len(store.runs())
    done = call(parent.path.parent, "fork", *(parent.id if word == "RUN" else word for word in words))
    assert done.exit_code != 0
    assert says in done.output + str(done.exception)
    assert len(store.runs()) == before


def test_from_python(parent: RunFolder) -> None:
    run = lamplighter.open(parent.path)
    fork = run.fork(at=10, set={"seed": 5}, steps=2, train=True)
    assert fork.status.step == 2
    with pytest.raises(lamplighter.InputError, match="cannot be changed"):
        run.fork(at=10, set={"model.dim": 8})
    with pytest.raises(lamplighter.InputError, match="at"):
        run.fork(at=-1)
