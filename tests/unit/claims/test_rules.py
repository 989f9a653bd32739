"""All 28 rules at once: on a town where everything holds, where nothing is known, and with answers of an
earlier version.

The texts of the board: each code of a rule has a text in every language, with the values that the rule
gives.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from string import Formatter

import pytest

import lamplighter.claims
from lamplighter.claims.board import CLAIMS, GROUP_OF, count_states, make_board
from lamplighter.claims.board import judge as judge_claim
from lamplighter.claims.claim import ClaimRole, ClaimState, Finding, Sentence
from lamplighter.claims.codes import TEXTS
from lamplighter.claims.english import figure_text, reason_text
from lamplighter.claims.evidence import Evidence
from lamplighter.contract.sentences import percent
from tests.support.evidences import FAILING, HOLDS, UNMEASURED, find, judge
from tests.unit.claims.town import ROWS, WIDTH, told, town


def test_all_hold_where_a_town_is_learned_in_small_steps() -> None:
    counted = count_states(make_board(town()))
    assert {role: dict(states) for role, states in counted.items()} == {
        ClaimRole.CLAIM: {HOLDS: 16},
        ClaimRole.CHECK: {HOLDS: 5},
        ClaimRole.RECIPE: {HOLDS: 6},
        ClaimRole.DEFINITION: {HOLDS: 1},
    }


@pytest.mark.parametrize("number", [claim.number for claim in CLAIMS if claim.number != 4])
def test_a_rule_without_data_waits(number: int) -> None:
    found = find(number, Evidence(step=1, examined_step=1, rows=ROWS, width=WIDTH))
    assert (found.state, bool(found.waits_for)) == (UNMEASURED, True)


def test_one_matrix_is_never_two() -> None:
    assert judge(24, town(tied=True), Evidence(step=0, examined_step=0, rows=9, width=9, tied=True)) == [
        FAILING,
        FAILING,
    ]


@pytest.mark.parametrize("huge", [1e308, -1e308])
def test_numbers_too_large_to_compute_with_are_ignored(huge: float) -> None:
    losses = {
        f"text.losses.{batch}.{name}": huge for batch in ("same", "other") for name in ("before", "after")
    }
    operations = {f"operations.totals.{name}": 10**400 for name in ("forward", "backward", "update")}
    evidence = told(
        "microscope", {"text.losses.same.before": -huge, "whole.rows": 10**400, **operations} | losses
    )
    for claim in CLAIMS:
        finding = judge_claim(claim, evidence)
        numbers = [figure.value for figure in finding.figures]
        json.dumps([*numbers, *(sentence.values for sentence in finding.reason)], allow_nan=False)
    assert judge_claim(CLAIMS[9], evidence).waits_for == "finite_numbers"


ROOM = Path(lamplighter.claims.__file__).parent
KINDS_BY_CALL = {
    "tell": "sentences",
    "Figure": "figures",
    "spread_figure": "figures",
    "waiting": "waits",
    "waiting_for_answer": "waits",
    "Link": "links",
    "ask": "links",
}
GERMAN = json.loads((ROOM / "texts" / "de.json").read_text(encoding="utf-8"))
PARTS = ("name", "statement", "condition", "method")


def strings_in_rules() -> set[str]:
    """Return the strings in the modules of the rules, except for docstrings."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ROOM.rglob("*.py")]
    nodes = chain.from_iterable(map(ast.walk, trees))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def calls() -> Iterator[tuple[str, str, set[str], bool]]:
    """Yield the kind and code of each call that names a code, the names of its values, and whether there may
    be more.
    """
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            kind = KINDS_BY_CALL.get(node.func.id)
            named = node.args[1] if node.func.id == "waiting_for_answer" else next(iter(node.args), None)
            if kind is None or named is None:
                continue
            names = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
            unpacks = any(keyword.arg is None for keyword in node.keywords)
            # A condition names two codes.
            for chosen in (named.body, named.orelse) if isinstance(named, ast.IfExp) else (named,):
                if isinstance(chosen, ast.Constant):
                    yield kind, str(chosen.value), names, unpacks


def fields_of(text: str) -> set[str]:
    return {name for _, name, *_ in Formatter().parse(text) if name is not None}


def test_each_code_of_a_rule_has_a_text() -> None:
    found = [(kind, code) for kind, code, *_ in calls()]
    assert len(found) > 150
    assert [(kind, code) for kind, code in found if code not in TEXTS[kind]] == []


def test_each_text_has_a_rule() -> None:
    named = strings_in_rules()
    codes = [(kind, code) for kind, texts in TEXTS.items() if kind != "claims" for code in texts]
    assert [(kind, code) for kind, code in codes if code not in named] == []
    assert sorted(map(int, TEXTS["claims"])) == [claim.number for claim in CLAIMS]
    assert set(GROUP_OF.values()) == set(TEXTS["groups"])
    assert {tuple(parts) for parts in TEXTS["claims"].values()} == {PARTS}


def test_a_sentence_has_the_values_of_its_text() -> None:
    said = [(code, names) for kind, code, names, unpacks in calls() if kind == "sentences" and not unpacks]
    assert len(said) > 50
    assert [(code, names) for code, names in said if names != fields_of(TEXTS["sentences"][code])] == []


@pytest.mark.parametrize("kind", [kind for kind in TEXTS if kind != "claims"])
def test_german_texts_have_the_same_values(kind: str) -> None:
    assert {code: fields_of(text) for code, text in GERMAN[kind].items()} == {
        code: fields_of(text) for code, text in TEXTS[kind].items()
    }


def test_every_row_of_a_board_is_told_in_words() -> None:
    for evidence in (
        town(),
        town(training=True, tied=True),
        town(answers={}),
        town(measures={}, pulses=None),
    ):
        for row in make_board(evidence):
            told = [reason_text(row), *map(figure_text, row.figures)]
            assert all(told), row.number
            assert not any("{" in text or "nan" in text.split() for text in told), told


def test_numbers_follow_their_fields_format() -> None:
    def tell(code: str, **values: float | str) -> str:
        return reason_text(Finding(ClaimState.HOLDS, (Sentence(code, values),)))

    assert (
        tell("told_apart", share=0.951, step=2_500)
        == "Together, then told apart: it was 95.1 % at step 2,500."
    )
    assert tell("one_step_changed", step=5, own=-0.1, other=0.0123).startswith(
        "Step 5 changed the loss on its own batch by -0.1 nats and on another batch by +0.012;"
    )
    # No minus sign before zero.
    assert "by 0.00 with" in tell("nearness_agrees", input=-0.001, output=0.25)
    assert [percent(share) for share in (0.073, 0.9996, 1.0)] == ["7.3 %", "99.96 %", "100 %"]
    waiting = Finding(ClaimState.UNMEASURED, (Sentence("recorded_elsewhere"),), waits_for="bench")
    assert reason_text(waiting) == (
        "Not measured yet: waiting for the bench: the same batches under four rules."
        " A recorded run has no model here, so it cannot be asked."
    )
