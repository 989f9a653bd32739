"""All 28 rules at once: on a town where everything holds, where nothing is known, and with answers of an
earlier version.
"""

from __future__ import annotations

import json

import pytest

from lamplighter.claims.board import CLAIMS, count_states, make_board
from lamplighter.claims.board import judge as judge_claim
from lamplighter.claims.claim import ClaimRole
from lamplighter.claims.evidence import Evidence
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
