"""What a shell completes: commands, options and the ids of runs, by click's own machinery."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import CompletionItem, ShellComplete
from click.testing import CliRunner

from lamplighter.cli.app import cli
from lamplighter.cli.command_table import COMMANDS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import write_run_name
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import make_run


def completed(words: list[str], incomplete: str = "") -> list[CompletionItem]:
    """Return what a shell is given after some words and the beginning of another."""
    return ShellComplete(cli, {}, "lamplighter", "_LAMPLIGHTER_COMPLETE").get_completions(words, incomplete)


@pytest.fixture
def runs(tmp_path: Path) -> list[RunFolder]:
    store = RunStore(tmp_path / "runs")
    made = [make_run(store, prepared=False) for _ in range(2)]
    write_run_name(made[0].path, "A quiet town")
    return made


@pytest.mark.parametrize(
    "words",
    [
        ("why",),
        ("diff", "OTHER"),
        ("runs", "open"),
        ("runs", "compare"),
        ("train", "--resume"),
        ("train", "--control-of"),
        ("sweep", "--of"),
        ("gallery", "--out", "site"),
        ("lessons", "check", "--run"),
    ],
)
def test_ids_are_completed_wherever_a_run_is_named(runs: list[RunFolder], words: tuple[str, ...]):
    folder = ["--runs", str(runs[0].path.parent)]
    for asked in ([*folder, *words], [words[0], *folder, *words[1:]]):
        found = completed(asked)
        assert {item.value: item.help for item in found}[runs[0].id] == "A quiet town"
        assert len(found) == 2
    assert [item.value for item in completed([*folder, *words], runs[1].id[:-1])] == [runs[1].id]


def test_a_run_that_was_named_is_not_named_again(runs: list[RunFolder]):
    first, second = runs
    folder = ["--runs", str(first.path.parent)]
    assert [item.value for item in completed([*folder, "runs", "trash", first.id])] == [second.id]


def test_to_complete_makes_no_folder(tmp_path: Path):
    for folder in (str(tmp_path / "none"), "s3://bucket/city"):
        assert completed(["--runs", folder, "why"]) == []
    assert list(tmp_path.iterdir()) == []
    assert [item.type for item in completed(["why"], "other/ru")] == ["dir"]


def test_commands_are_completed():
    assert {item.value for item in completed([])} == set(COMMANDS)
    assert [item.value for item in completed(["runs"], "co")] == ["compare"]
    assert [item.value for item in completed(["why"], "--st")] == ["--step"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_one_that_its_shell_reads(shell: str, tmp_path: Path):
    told = CliRunner().invoke(cli, ["completion", shell])
    assert told.exit_code == 0
    assert f"_LAMPLIGHTER_COMPLETE={shell}_complete" in told.output
    # Not every machine has all three; click's own tests read the others.
    if (program := shutil.which(shell)) is not None:
        (tmp_path / "script").write_text(told.output)
        subprocess.run([program, "-n", tmp_path / "script"], check=True)
