"""Claims 4, 24, 25 and 28 on numbers on both sides of each threshold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lamplighter.claims.board import CLAIMS
from lamplighter.claims.claim import ClaimRole
from lamplighter.claims.evidence import EarlierShare, Evidence, TurnedFigures
from lamplighter.claims.intervals import Spread
from tests.support.evidences import CONDITIONAL, FAILING, HOLDS, UNMEASURED, find, judge, said
from tests.unit.claims.town import PARAMETERS, ROWS, STEP, WIDTH, cities, told, town, untold


def test_a_matrix_of_weights_is_a_definition_with_correct_counts() -> None:
    found = find(4, town())
    assert CLAIMS[3].role == ClaimRole.DEFINITION
    assert [figure.value for figure in found.figures] == [ROWS * WIDTH, ROWS * WIDTH / PARAMETERS]
    assert said(found) == {
        "rows_of_numbers_of_all": {
            "rows": ROWS,
            "width": WIDTH,
            "numbers": ROWS * WIDTH,
            "share": ROWS * WIDTH / PARAMETERS,
        }
    }
    assert "same_table_predicts" in said(find(4, town(tied=True)))
    assert find(4, town(parameters=None)).figures[1].value is None


def both(**changes: Any) -> Evidence:
    return town(cities=cities(**changes))


def test_two_matrices_share_less_than_one_with_itself_earlier() -> None:
    # The lowest share of a matrix with itself is 0.84; the interval is 0.0196 to each side.
    less, as_much = (both(shared=Spread(share, 0.01, 500)) for share in (0.82, 0.821))
    assert judge(24, less, as_much) == [HOLDS, CONDITIONAL]


def test_two_matrices_share_less_than_one_with_that_of_another_seed() -> None:
    # The interval of the two matrices ends at 0.5396.
    more, less = (both(other_seed=Spread(share, 0.01, 500)) for share in (0.56, 0.559))
    assert judge(24, more, less) == [HOLDS, CONDITIONAL]
    assert judge(24, both(earlier=(), other_seed=Spread(0.56, 0.01, 500))) == [HOLDS]
    assert said(find(24, more))["in_common_with_another_seed"] == {"share": 0.56}


@pytest.mark.parametrize("kept", [0.733, 0.689, 0.582])
def test_one_matrix_at_two_times_is_not_two(kept: float) -> None:
    earlier = (EarlierShare("input", 500, kept),)
    itself = both(
        shared=Spread(kept, 0.01, 500),
        earlier=earlier,
        follows=Spread(0.25, 0.007, 500),
        precedes=Spread(-0.25, 0.007, 500),
    )
    assert judge(24, itself) == [CONDITIONAL]
    assert judge(24, both(shared=Spread(kept, 0.01, 500), earlier=earlier, follows=None, precedes=None)) == [
        FAILING
    ]


def test_in_a_vocabulary_of_eleven_all_others_are_the_ten_nearest() -> None:
    assert judge(24, replace(both(), rows=11)) == [CONDITIONAL]


def test_two_untrained_matrices_differ_as_well() -> None:
    # A twentieth of the range above chance is 0.054; the interval is 0.0059 to each side.
    akin, strange = (both(shared=Spread(share, 0.003, 500)) for share in (0.0605, 0.0595))
    assert judge(24, akin, strange) == [HOLDS, CONDITIONAL]
    assert judge(24, both(shared=Spread(0.0042, 0.001, 500), follows=None, precedes=None)) == [FAILING]


@pytest.mark.parametrize("side", ["follows", "precedes"])
def test_each_matrix_clearly_leans_to_its_own_side(side: str) -> None:
    cases = (
        Spread(0.051, 0.001, 500),
        Spread(0.049, 0.001, 500),
        Spread(0.09, 0.029, 9),
        Spread(0.09, 0.031, 9),
    )
    assert judge(24, *(both(**{side: case}) for case in cases)) == [HOLDS, CONDITIONAL, HOLDS, CONDITIONAL]
    assert judge(24, both(**{side: None}), both(follows=None, precedes=None)) == [CONDITIONAL, CONDITIONAL]


def test_shuffled_words_have_no_sides() -> None:
    shuffled = both(
        shared=Spread(0.143, 0.01, 500),
        earlier=(EarlierShare("input", 100, 0.62),),
        follows=Spread(0.02, 0.007, 500),
        precedes=Spread(0.0, 0.007, 500),
    )
    assert judge(24, shuffled) == [FAILING]


def test_without_an_earlier_matrix_the_difference_is_shown_in_part() -> None:
    assert judge(24, both(earlier=()), both(earlier=(), follows=None, precedes=None)) == [
        CONDITIONAL,
        FAILING,
    ]
    assert judge(24, town(tied=True), town(cities=None)) == [FAILING, UNMEASURED]
    unkept = town(cities=None, no_output_matrix="output_matrix_not_kept")
    assert find(24, unkept).waits_for == "output_matrix_not_kept"


def test_a_rotation_changes_the_numbers_and_keeps_the_neighbours() -> None:
    def turned(changed: float, kept: float) -> Evidence:
        return town(turned=TurnedFigures(STEP, changed, kept, 0.0))

    assert judge(25, turned(0.91, 0.991), turned(0.89, 0.991), turned(0.91, 0.989)) == [
        HOLDS,
        FAILING,
        FAILING,
    ]
    assert judge(25, town(turned=None)) == [UNMEASURED]


def test_older_rows_cost_a_quarter_of_the_knowledge() -> None:
    # Its own loss is 1 and guessing 5, so a quarter is 1 nat.
    assert judge(
        28, *(told("transplant", {"loss.after": after}) for after in (2.01, 1.99, 1.16, 1.11, 0.9))
    ) == [
        HOLDS,
        CONDITIONAL,
        CONDITIONAL,
        FAILING,
        FAILING,
    ]
    # Even if certain, a tenth of a nat is too little.
    assert judge(28, told("transplant", {"loss.after": 1.11, "rise.error": 0.01})) == [CONDITIONAL]


def test_older_rows_have_a_significant_cost() -> None:
    # Three standard errors, and beyond the interval of the rows of the previous step.
    sure, unsure = (told("transplant", {"loss.after": 2.5, "rise.error": error}) for error in (0.499, 0.501))
    assert judge(28, sure, unsure) == [HOLDS, FAILING]


def test_older_rows_cost_significantly_more_than_those_of_the_previous_step() -> None:
    # Intervals of 0.098 and 0.196 to each side.
    less, more = (
        told("transplant", {"previous.loss": loss, "previous.rise.error": 0.1}) for loss in (2.7, 2.71)
    )
    assert judge(28, less, more) == [HOLDS, FAILING]
    null = find(28, less).null
    assert (null and null.value) == 2.7


def test_untrained_layers_lose_nothing_with_other_rows() -> None:
    assert judge(28, told("transplant", {"loss.before": 5.0, "loss.after": 9.0})) == [FAILING]
    assert judge(28, told("transplant", {"loss.before": 4.9, "loss.after": 9.0})) == [HOLDS]


@pytest.mark.parametrize("missing", ["rise.error", "previous", "previous.loss", "previous.rise.error"])
def test_an_answer_without_errors_shows_the_claim_in_part(missing: str) -> None:
    found = find(28, told("transplant", {missing: None}))
    assert (found.state, bool(found.waits_for)) == (CONDITIONAL, True)
    assert judge(28, told("transplant", {missing: None, "loss.after": 1.0})) == [FAILING]


@pytest.mark.parametrize("missing", ["loss.before", "loss.after"])
def test_without_a_finite_loss_the_claim_is_unmeasured(missing: str) -> None:
    assert judge(28, told("transplant", {missing: None}), untold("transplant")) == [UNMEASURED] * 2
