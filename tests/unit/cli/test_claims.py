"""`lamplighter claims`, and the preparation of what claims wait for; what is answered already starts no process."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lamplighter
from lamplighter.claims import board
from lamplighter.claims.board import CLAIMS, list_board_questions
from lamplighter.claims.claim import Claim, ClaimRole, ClaimState, Figure, Finding, tell
from lamplighter.claims.control import make_control_recipe
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.gathering import read_moment
from lamplighter.cli.app import cli
from lamplighter.processes.local_examiner import ExaminationFailedError, LocalExaminer
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train
from tests.support.evidences import gather, store_answer, whole_answer
from tests.support.folders import make_run as make_unbegun
from tests.support.runs import make_run, small_text


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
    assert "--prepare claims" in lines[-3]
    assert lines[-2].endswith(f"lamplighter train --control-of {run.id}")
    found = json.loads(typed(run, "claims", run.id, "--json").stdout)
    assert [row["number"] for row in found["items"]] == list(range(1, 29))
    assert {row["state"] for row in found["items"]} >= {"holds", "unmeasured"}


def test_both_columns_and_invalid_claims(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def claim(number: int, role: ClaimRole, mine: Finding, other: Finding) -> Claim:
        def find(evidence: Evidence) -> Finding:
            return mine if evidence.control is not None else other

        return replace(CLAIMS[number - 1], role=role, find=find)

    chance = Figure("by_chance", 0.0081, "share", low=0.0079, high=0.0083, draws=20)
    held = Finding(ClaimState.HOLDS, (), (), chance)
    failing = Finding(ClaimState.FAILING, (tell("city_does_not_sleep"),), ())
    rows = (
        claim(1, ClaimRole.CLAIM, held, failing),
        claim(2, ClaimRole.CLAIM, held, held),
        claim(3, ClaimRole.CHECK, held, held),
        claim(4, ClaimRole.DEFINITION, held, held),
        claim(5, ClaimRole.RECIPE, held, held),
        claim(6, ClaimRole.RECIPE, failing, held),
    )
    monkeypatch.setattr(board, "CLAIMS", rows)
    control = RunStore(run.path.parent).create(make_control_recipe(run.recipe), small_text())
    train(control)
    told = typed(run, "claims", run.id).stdout
    assert f"control {control.id}" in told
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert "1 [+] holds [x] fails here Random start" in lines
    assert lines.count("on shuffled words: Here the city does not sleep.") == 1
    assert "baseline: by chance: 0.81 % (0.79 % to 0.83 %, n = 20)" in lines
    assert "3 [+] holds [+] holds Near, direction, length (a check of this program)" in lines
    assert "4 [+] holds [+] holds A matrix of weights (by definition)" in lines
    assert lines[-1].startswith("2 of 2 claims hold (1 on shuffled words)")
    assert "5 [+] holds [+] holds Predict, compare, correct (follows from the recipe)" in lines
    assert lines[-1].endswith(", 1 of 2 that follow from the recipe hold, 2 checks and definitions")
    assert "--control-of" not in told
    document = json.loads(typed(run, "claims", run.id, "--json").stdout)
    assert document["control"] == {"run": control.id, "step": 3}
    assert [row["role"] for row in document["items"]] == [
        "claim",
        "claim",
        "check",
        "definition",
        "recipe",
        "recipe",
    ]
    assert document["items"][0]["control"]["state"] == "failing"
    assert document["items"][0]["null"]["draws"] == 20
    assert document["items"][0]["english"]["name"] == "Random start"


def test_missing_answers_are_requested_once(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def examine(_self: LocalExaminer, one: object, _on_change: object = None) -> dict[str, object]:
        question = one.question  # pyright: ignore[reportAttributeAccessIssue]
        asked.append(question.kind)
        if question.kind == "transplant":
            raise ExaminationFailedError("the examiner ended")
        fields = {"first": [{}, {}]} if question.kind == "transplant" else {}
        store_answer(
            run, question.model_dump(mode="json"), whole_answer(question.kind, question.step, fields)
        )
        return {}

    monkeypatch.setattr(LocalExaminer, "examine", examine)
    finished: list[str] = []

    def finish(run: RunFolder) -> list[str]:
        finished.append(run.id)
        return ["the map could not be made"]

    monkeypatch.setattr("lamplighter.cli.asking.claims.finish_run", finish)
    wanted = [one.question.kind for one in list_board_questions(gather(run), read_moment(run).lineage)]
    # Also what starts further processes: whoever types this may.
    assert {"microscope", "devices"} <= set(wanted)
    first = typed(run, "examine", run.id, "--prepare", "claims")
    assert (first.exit_code, "the examiner ended" in first.output) == (1, True), first.output
    assert f"1 of {len(wanted)}: microscope at step 3" in first.output
    assert "the map could not be made; transplant: " in first.output
    assert asked == wanted
    # What was answered stays answered; only what failed is asked again.
    again = typed(run, "examine", run.id, "--prepare", "claims")
    assert again.exit_code == 1
    assert asked == [*wanted, "transplant"]
    assert finished == [run.id, run.id]


def test_an_impossible_preparation_is_one_line(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(_run: RunFolder) -> list[str]:
        return []

    monkeypatch.setattr("lamplighter.cli.asking.claims.finish_run", finish)
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
