"""What the board says of a run of sums."""

from __future__ import annotations

from pathlib import Path

from lamplighter.claims.board import make_board
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train
from tests.support.evidences import UNMEASURED, gather


def test_claims_about_words_do_not_apply(tmp_path: Path) -> None:
    fields = {"corpus": {"kind": "modular", "modulus": 7}, "model": {"dim": 8, "heads": 2}}
    rest = {"sequences": 8, "cadence": {"keyframe_every": 5}, "steps": 30}
    run = RunStore(tmp_path).create(Recipe.model_validate(fields | rest))
    train(run)
    rows = {row.number: row for row in make_board(gather(run))}
    said = {number for number, row in rows.items() if row.waits_for == "text_of_words"}
    assert said == {2, 3, 6, 7, 9, 13, 14}
    assert all(rows[number].state is UNMEASURED for number in said)
    # Statements that do not depend on the text are still judged.
    assert rows[4].state is not UNMEASURED
