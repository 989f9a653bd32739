"""`lamplighter examine RUN --prepare claims` on a run that no server has seen: real workers, real answers, every claim a number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lamplighter.cli.app import cli
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train

pytestmark = pytest.mark.tour


def test_on_a_headless_run_no_claim_stays_without_a_number(tmp_path: Path) -> None:
    shape = {"dim": 16, "layers": 1, "heads": 2, "context": 16}
    recipe = Recipe.model_validate({"model": shape, "sequences": 8, "steps": 120, "device": "cpu"})
    run = RunStore(tmp_path).create(recipe)
    train(run)
    assert not run.measures_path.exists()
    assert not run.layouts_path.exists()

    def typed(*words: str) -> Result:
        return CliRunner().invoke(cli, ["--runs", str(tmp_path), *words])

    prepared = typed("examine", run.id, "--prepare", "claims")
    assert prepared.exit_code == 0, prepared.output
    board = json.loads(typed("claims", run.id, "--json").stdout)
    unmeasured = {row["number"]: row["waits_for"] for row in board["items"] if row["state"] == "unmeasured"}
    assert unmeasured == {}
    # Nothing is left to be done.
    again = typed("examine", run.id, "--prepare", "claims")
    assert again.exit_code == 0, again.output
    assert "made" not in again.output
    assert " of 1:" not in again.output
