"""`lamplighter runs`: lists that are filtered and sorted, and names that a person gives.

`lamplighter diff`: two runs, in words and as JSON.
The energy of a training on the command line.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from lamplighter.cli.app import cli
from lamplighter.cli.energy import describe_energy, watts_option
from lamplighter.differences.difference import compare_folders
from lamplighter.platform.energy.energy_method import EnergyMethod, SpentEnergy, stated_watts
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.energy import METHOD_FACT, UsedMethod, encode_energy
from lamplighter.runfolder.tables.steps import StepsWriter
from tests.support.folders import FakeTrainer, finished_run, make_run
from tests.support.synthetic_runs.compared_runs import fork_of, recorded, trained_parent


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


def test_watts_go_to_the_trainers_and_wrong_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_WATTS", "")

    @click.command()
    @watts_option
    def command() -> None:
        click.echo(f"{stated_watts():g}")

    assert CliRunner().invoke(command, ["--watts", "25"]).output == "25\n"
    monkeypatch.setenv("LAMPLIGHTER_WATTS", "")
    assert CliRunner().invoke(command, []).output == "12\n"
    refused = CliRunner().invoke(command, ["--watts", "-1"])
    assert refused.exit_code == 2
    assert "above 0 and at most 1,000" in refused.output


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (EnergyMethod("processor", 12.0), "estimated: 12 W for a busy core"),
        (EnergyMethod("rapl"), "counters of the processors"),
        (EnergyMethod("nvml"), "counter of the graphics card"),
    ],
)
def test_joules_come_with_their_method(tmp_path: Path, method: EnergyMethod, words: str) -> None:
    run = finished_run(tmp_path)
    assert describe_energy(run) is None
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({METHOD_FACT: UsedMethod(method, 0).as_fact()})
        writer.set_energy(35, encode_energy(SpentEnergy(1_234.4, 5.0, 6.0)))
    found = describe_energy(run)
    assert found is not None
    assert found.startswith("it took 1,234 J, ")
    assert words in found


def test_joules_by_several_methods_come_with_the_least_exact(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    estimate, counter = EnergyMethod("processor", 12.0), EnergyMethod("rapl")
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({METHOD_FACT: UsedMethod(estimate, 0).add_method(counter).as_fact()})
        writer.set_energy(35, encode_energy(SpentEnergy(1_234.4, 5.0, 6.0)))
    found = describe_energy(run)
    assert found is not None
    assert found.endswith("estimated: 12 W for a busy core (--watts); in part by another method")
