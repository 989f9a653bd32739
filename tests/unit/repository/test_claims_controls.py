"""The benchmark of the controls: what it reads as a prediction, and what it calls one that did not come true."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from benchmarks.claims_controls import (
    COLUMNS,
    EXPLAINED,
    compare,
    deal_labels,
    read_explained,
    read_predictions,
)
from lamplighter.wire.vocabulary import Relation, Vocabulary

HEAD = "| # | default | shuffled | random labels | untrained | diverged |\n|---|---|---|---|---|---|\n"
TABLE = (
    f"# Claims\n\n{HEAD}| 2 | holds | failing | failing | failing | failing or unmeasured |\n\nAfter it.\n"
)


def board(state: str, role: str = "claim") -> dict[int, dict[str, Any]]:
    return {2: {"role": role, "state": state, "figure": 0.5}}


def test_a_state_that_was_not_predicted_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    predicted = read_predictions(TABLE)
    boards = {column: board("failing") for column in COLUMNS} | {"default": board("holds")}
    assert compare(boards, predicted)
    assert compare(boards | {"diverged": board("unmeasured")}, predicted)
    capsys.readouterr()
    assert not compare(boards | {"shuffled": board("holds")}, predicted)
    true, states, held, green = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (green["green"], green["met"]) == ([2], False)
    assert (true["value"], true["met"]) == (0.8, False)
    assert true["wrong"] == ["2, shuffled: predicted failing, found holds"]
    assert (states["value"], states["met"]) == (1, False)
    assert (states["states"]["2"]["shuffled"], states["figures"]["2"]["shuffled"]) == ("holds", 0.5)
    assert (held["value"], held["met"]) == (0, False)
    # A check of this program is no claim, and need not be predicted.
    checked = boards | {"default": board("holds", role="check")}
    assert not compare(checked, {})
    assert json.loads(capsys.readouterr().out.splitlines()[1])["without_a_prediction"] == []


def test_only_predictions_that_could_fail_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    table = f"{TABLE.rstrip()}\n"
    for number, cells in ((3, "holds"), (4, "holds"), (5, "holds or failing")):
        table = table.replace("\n\nAfter", f"\n| {number} |{f' {cells} |' * 5}\n\nAfter")
    roles = {2: "claim", 3: "recipe", 4: "check", 5: "claim"}
    states = {2: "failing", 3: "failing", 4: "holds", 5: "failing"}
    boards = {
        column: {
            number: {"role": role, "state": states[number], "figure": None} for number, role in roles.items()
        }
        for column in COLUMNS
    }
    # The default run was to hold 2, and all five were to hold 3, which follows from the recipe.
    assert not compare(boards, read_predictions(table))
    true, counted, *_ = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (true["value"], true["came_true"], true["not_counted"]) == (0.9, 9, 10)
    assert (true["allowing_two_states"], true["alike_in_all_columns"]) == (6, [5])
    assert (len(true["wrong"]), counted["value"]) == (6, 6)


def test_a_wrong_prediction_counts_with_its_reason_and_is_told_apart_from_one_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    why = f"{EXPLAINED}\n|---|---|---|---|---|\n| 2 | untrained | failing | conditional | it is. |\n\nAfter it.\n"
    predicted, explained = read_predictions(TABLE), read_explained(TABLE + why)
    assert explained == {(2, "untrained", "conditional")}
    assert read_explained(TABLE + why.replace("untrained", "all")) == {
        (2, column, "conditional") for column in COLUMNS
    }
    boards = {column: board("failing") for column in COLUMNS} | {"default": board("holds")}
    assert not compare(boards | {"untrained": board("conditional")}, predicted, explained)
    true, states, *_ = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (true["value"], len(true["wrong"]), true["met"]) == (0.8, 1, False)
    assert (states["value"], states["met"]) == (0, True)
    assert not compare(boards | {"untrained": board("holds")}, predicted, explained)
    # A reason that is out of date counts as well.
    assert not compare(boards, predicted, explained)
    true, states, *_ = (json.loads(line) for line in capsys.readouterr().out.splitlines()[-4:])
    assert (states["value"], len(true["wrong"])) == (1, 0)


@pytest.mark.parametrize(
    "table", ["nothing", f"{HEAD}| 2 | holds | maybe | holds | holds | holds |", f"{HEAD}| 2 | holds |"]
)
def test_what_is_no_prediction_is_refused(table: str) -> None:
    with pytest.raises(ValueError, match="predict"):
        read_predictions(table)


def test_labels_are_dealt_among_the_words_that_have_any() -> None:
    tokens = tuple(f"w{number}" for number in range(200))
    classes = {"low": tuple(range(50)), "high": tuple(range(50, 100))}
    pairs = tuple((number, number + 50) for number in range(50))
    families = {"all": ("low", "high")}
    planted = Vocabulary(tokens, np.ones(200, dtype=np.int64), classes, (Relation("up", pairs),), families)
    dealt = deal_labels(planted)
    assert {name: len(members) for name, members in dealt.classes.items()} == {"low": 50, "high": 50}
    assert sorted(token for members in dealt.classes.values() for token in members) == list(range(100))
    assert 10 < len(set(dealt.classes["low"]) & set(classes["low"])) < 40
    low = set(dealt.classes["low"])
    assert all(left in low and right not in low for left, right in dealt.relations[0].pairs)
    assert dealt.families == families
