"""`lamplighter fork`: a fork beside its parent, what `lamplighter runs` says of it, and refusals of one line.

`lamplighter sweep`: how a grid is written, and in one line what makes no set.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lamplighter
from lamplighter.cli.app import cli
from lamplighter.cli.sweep import parse_axis
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import SET_FILE, SWEEP_ROLE
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train
from tests.support.runs import make_run, small_text
from tests.support.swept import make_set, recorded_set


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


def refused(runs: Path, *words: object) -> str:
    before = sorted(os.listdir(runs))
    done = CliRunner().invoke(cli, [str(word) for word in ("--runs", runs, "sweep", *words)])
    assert done.exit_code != 0, done.output
    assert sorted(os.listdir(runs)) == before
    return done.output + str(done.exception)


@pytest.mark.parametrize(
    ("told", "values"),
    [
        ("seed=0..3", [0, 1, 2, 3]),
        ("seed=5", [5]),
        ("optimiser.learning_rate=0.001,1e-2", [0.001, 0.01]),
        ("model.tied=true,false", [True, False]),
        ("optimiser.kind=lazy,adam", ["lazy", "adam"]),
        ("corpus.kind=null", ["null"]),
    ],
)
def test_an_axis_is_a_field_with_its_values(told: str, values: list[object]) -> None:
    axis = parse_axis(told)
    assert axis.field == told.partition("=")[0]
    assert axis.values == values
    assert [type(value) for value in axis.values] == [type(value) for value in values]


@pytest.mark.parametrize("told", ["seed", "=1", "x" * 200 + "=1", "seed=3..1", "seed=0..100000"])
def test_what_is_no_axis_is_refused(told: str) -> None:
    with pytest.raises(RecipeError):
        parse_axis(told)


def test_what_makes_no_set_is_one_line(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    assert "more than one run" in refused(tmp_path, "lamptown")
    assert "more than one run" in refused(tmp_path, "--seed", "3")
    assert "no field" in refused(tmp_path, "--seed", "0..1", "--set", "learning_rate=1")
    assert "FIELD=VALUE" in refused(tmp_path, "--seed", "0..1", "--set", "steps")
    assert "given twice" in refused(tmp_path, "--seed", "0..1", "--set", "seed=3")
    assert "at most 500 members" in refused(tmp_path, "--seed", "0..99", "--set", "steps=1,2,3,4,5,6")
    assert "no run 'nothing'" in refused(tmp_path, "--of", "nothing", "--seed", "0..1")
    assert "--of repeats" in refused(tmp_path, "lamptown", "--of", run.id, "--seed", "0..1")
    assert "--name" in refused(tmp_path, "--seed", "0..1", "--name", "\u200b")
    assert "No such file" in refused(tmp_path, "nothing.toml", "--seed", "0..1")
    assert "--resume goes on" in refused(tmp_path, "--resume", "x", "--seed", "0..1")
    assert "no set 'nothing'" in refused(tmp_path, "--resume", "nothing")
    assert "no set" in refused(tmp_path, "--resume", run.id)
    run.source_path.unlink()
    assert "nothing to train on" in refused(tmp_path, "--of", run.id, "--seed", "0..1")


def test_a_set_is_swept_by_one_process(tmp_path: Path) -> None:
    run_set = make_set(tmp_path)
    with RoleLock(run_set.path, SWEEP_ROLE):
        assert "already the sweep" in refused(tmp_path, "--resume", run_set.id)
    assert all(run is not None and not run.steps_path.exists() for _, run in run_set.members())


def test_the_claims_of_a_set_say_in_how_many_they_hold(tmp_path: Path) -> None:
    run_set = recorded_set(tmp_path)
    last = run_set.facts.members[-1].run
    done = CliRunner().invoke(cli, ["--runs", str(tmp_path), "claims", run_set.id])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line[:16] for line in lines[3:4]] == [" 4  holds in 2 of"[:16]]
    assert lines[-1] == f"{last}: unfinished"
    told = json.loads(
        CliRunner().invoke(cli, ["--runs", str(tmp_path), "claims", run_set.id, "--json"]).output
    )
    assert told["items"][3]["states"]["holds"] == 2
    assert told["unanswered"] == [{"run": last, "reason": "unfinished"}]


def test_a_set_is_trashed_and_removed_as_one_thing(tmp_path: Path) -> None:
    store, run_set, other = RunStore(tmp_path), make_set(tmp_path), make_set(tmp_path)
    member = run_set.members()[1][1]
    assert member is not None

    def ask(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["--runs", str(tmp_path), "runs", *words])
        return done.exit_code, done.output + str(done.exception)

    for folder, role, says in (
        (member.path, "trainer", "being trained"),
        (run_set.path, SWEEP_ROLE, "being swept"),
    ):
        with RoleLock(folder, role):
            code, said = ask("trash", run_set.id)
            assert (code, says in said) == (1, True)
    assert ask("trash", run_set.id)[0] == 0
    assert [one.id for one in store.sets()] == [other.id]
    assert ask("remove", other.id, "--trashed", "--yes")[0] == 0
    assert (store.runs(), store.sets(), store.trashed()) == ([], [], [])


def test_a_recorded_run_is_not_repeated(tmp_path: Path) -> None:
    recorded = make_run(tmp_path)
    recipe = recorded.path / "recipe.json"
    recipe.write_text(recipe.read_text().replace('"kind": "text"', '"kind": "recorded"'))
    assert "cannot be trained here" in refused(tmp_path, "--of", recorded.id, "--seed", "0..1")
    assert RunStore(tmp_path).sets() == []
