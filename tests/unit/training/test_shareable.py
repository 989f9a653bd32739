"""Runs that several processes cannot train are refused, with what to do instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lamplighter.cli.app import cli
from lamplighter.contract.recipe import Recipe
from lamplighter.training.processes.crew import UnshareableError, require_shareable, usable_cores


@pytest.mark.parametrize(
    ("changes", "processes", "message"),
    [
        ({"sequences": 2, "passages": 1}, 3, "a batch of 2 sequences"),
        ({"model": {"negatives": 5}}, 2, "a sampled softmax"),
        ({"device": "cuda"}, 2, "and not on cuda"),
        ({}, 65, "65 is not from 2 to 64"),
    ],
)
def test_what_cannot_be_shared_is_named(changes: dict[str, Any], processes: int, message: str):
    with pytest.raises(UnshareableError, match=message):
        require_shareable(Recipe.model_validate(changes), processes)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--processes", "3", "--batch", "2"], "a batch of 2 sequences"),
        (["--processes", "2", "--watch"], "--watch names none"),
        (["--processes", "0"], "0 is not in the range"),
    ],
)
def test_the_command_refuses_before_it_makes_a_run(tmp_path: Path, words: list[str], message: str):
    told = CliRunner().invoke(cli, ["train", "--runs", str(tmp_path), *words])
    assert told.exit_code == 2
    assert message in told.output
    assert list(tmp_path.iterdir()) == []


def test_one_core_is_refused_unless_one_insists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lamplighter.cli.train.usable_cores", lambda: 1)
    told = CliRunner().invoke(cli, ["train", "--runs", str(tmp_path), "--processes", "2"])
    assert told.exit_code == 2
    assert "take turns on the one core" in told.output
    assert usable_cores() >= 1


def test_torchrun_has_said_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "3", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(cli, ["train", "--runs", str(tmp_path), "--processes", "2"])
    assert told.exit_code == 2
    assert "torchrun has started 3" in told.output
