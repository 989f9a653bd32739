"""`lamplighter claims`, and the preparation of what claims wait for; what is answered already starts no process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lamplighter
from lamplighter.claims.board import list_board_questions
from lamplighter.claims.gathering import read_moment
from lamplighter.cli.app import cli
from lamplighter.processes.local_examiner import ExaminationFailedError, LocalExaminer
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train
from tests.runs import make_run
from tests.unit.claims.evidences import gather, store_answer
from tests.unit.serving.folders import make_run as make_unbegun


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = make_run(tmp_path, steps=3)
    train(run)
    return run


def typed(run: RunFolder, *words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in ("--runs", run.path.parent, *words)])


def test_the_board_as_text_and_as_json(run: RunFolder) -> None:
    told = typed(run, "claims", run.id)
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert any(line.startswith(" 6  [") for line in lines)
    assert sum(line[:2].strip().isdigit() for line in lines) >= 28
    assert "--prepare claims" in lines[-1]
    board = json.loads(typed(run, "claims", run.id, "--json").stdout)
    assert [row["number"] for row in board["items"]] == list(range(1, 29))
    assert {row["state"] for row in board["items"]} >= {"holds", "unmeasured"}


def test_what_is_missing_is_asked_once(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def examine(_self: LocalExaminer, one: object, _on_change: object = None) -> dict[str, object]:
        question = one.question  # pyright: ignore[reportAttributeAccessIssue]
        asked.append(question.kind)
        if question.kind == "transplant":
            raise ExaminationFailedError("the examiner ended")
        store_answer(run, question.model_dump(mode="json"), {"step": question.step})
        return {}

    monkeypatch.setattr(LocalExaminer, "examine", examine)
    wanted = [
        one.question.kind
        for one in list_board_questions(gather(run), read_moment(run).lineage)
        if not one.by_button
    ]
    assert "microscope" in wanted
    first = typed(run, "examine", run.id, "--prepare", "claims")
    assert (first.exit_code, "the examiner ended" in first.output) == (1, True), first.output
    assert f"1 of {len(wanted)}: microscope at step 3" in first.output
    assert asked == wanted
    # What was answered stays answered; only what failed is asked again.
    again = typed(run, "examine", run.id, "--prepare", "claims")
    assert again.exit_code == 1
    assert asked == [*wanted, "transplant"]


def test_what_cannot_be_prepared_is_one_line(run: RunFolder, tmp_path: Path) -> None:
    assert typed(run, "examine", "--prepare", "claims").exit_code == 2
    assert typed(run, "examine", run.id, "speak", "--prepare", "claims").exit_code == 2
    bare = make_unbegun(RunStore(tmp_path), prepared=False)
    for words in (("claims", bare.id), ("examine", bare.id, "--prepare", "claims")):
        assert "has not read its corpus" in typed(bare, *words).output
    weights = np.ones((4, 4), dtype=np.float32)
    with lamplighter.record(tmp_path / "mine", ["a", "b", "c", "d"], embedding=weights) as recorder:
        weights[0] += 1
        recorder.step(weights, [0], 1.0)
    done = typed(run, "examine", "mine", "--prepare", "claims")
    assert (done.exit_code, "its model is not here" in done.output) == (1, True), done.output
    assert "Traceback" not in done.output
