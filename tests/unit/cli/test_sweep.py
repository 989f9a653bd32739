"""`lamplighter sweep`: how a grid is written, and in one line what makes no set."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from lamplighter.cli.app import cli
from lamplighter.cli.sweep import parse_axis
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_set import SWEEP_ROLE
from lamplighter.runfolder.run_store import RunStore
from tests.support.runs import make_run
from tests.support.swept import make_set, recorded_set


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
