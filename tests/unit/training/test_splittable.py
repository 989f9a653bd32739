"""Runs that cannot be trained by several processes are refused, with what to do instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lamplighter.cli.app import cli
from lamplighter.contract.recipe import Recipe
from lamplighter.training.processes import requirements
from lamplighter.training.processes.requirements import SplitError, require_splittable


@pytest.mark.parametrize(
    ("changes", "processes", "message"),
    [
        ({"sequences": 2, "passages": 1}, 3, "a batch of 2 sequences"),
        ({"corpus": {"vocabulary_size": 3}}, 4, "3 rows cannot be split between 4"),
        ({"optimiser": {"kind": "adam"}}, 2, "take lazy or sgd"),
        ({"optimiser": {"kind": "sgd"}, "model": {"tied": True}}, 2, "tied weights"),
        ({"model": {"negatives": 5}}, 2, "a sampled softmax"),
        ({"device": "cuda"}, 2, "the device cuda"),
        ({"corpus": {"kind": "modular"}}, 2, "adam"),
        ({"format": 2, "optimiser": {"frozen": ["output"]}}, 2, "a frozen matrix"),
        ({}, 65, "65 is not from 2 to 64"),
    ],
)
def test_what_cannot_be_split_is_named(changes: dict[str, Any], processes: int, message: str):
    with pytest.raises(SplitError, match=message):
        require_splittable(Recipe.model_validate(changes), processes)


def test_fewer_rows_than_the_recipe_allows_are_found_once_the_text_is_read():
    require_splittable(Recipe(), 5)
    with pytest.raises(SplitError, match="4 rows cannot be split between 5"):
        require_splittable(Recipe(), 5, vocabulary=4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--processes", "3", "--tied"], "tied weights"),
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
    assert requirements.usable_cores() >= 1


def test_torchrun_has_said_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "3", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(cli, ["train", "--runs", str(tmp_path), "--processes", "2"])
    assert told.exit_code == 2
    assert "torchrun has started 3" in told.output
