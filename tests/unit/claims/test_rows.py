"""Claims 6, 7, 8, 9 and 26 on numbers on both sides of each threshold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lamplighter.claims.evidence import Evidence, TouchFigures
from lamplighter.claims.intervals import Spread
from tests.support.evidences import CONDITIONAL, FAILING, HOLDS, UNMEASURED, find, judge, said
from tests.unit.claims.town import PARAMETERS, ROWS, STEP, WIDTH, bench, pulses, told, town, untold


def stepped(**changes: Any) -> Evidence:
    return town(pulses=pulses(**changes))


def test_most_of_the_rows_means_half() -> None:
    lit = [stepped(batch_rows=share * ROWS) for share in (0.499, 0.501, 0.899, 0.901)]
    assert judge(6, *lit) == [HOLDS, CONDITIONAL, CONDITIONAL, FAILING]
    # The median batch counts.
    rare = np.where(np.arange(STEP) % 3 == 0, 1.0, 0.05) * ROWS
    assert judge(6, stepped(batch_rows=rare)) == [HOLDS]


def test_one_moving_sleeper_is_too_many() -> None:
    once = np.zeros(STEP)
    once[7] = 1
    found = find(6, stepped(moved_sleepers=once))
    assert (found.state, said(found)["rows_moved_unread"]) == (FAILING, {"share": 1 / STEP})
    assert judge(6, stepped(verified=False)) == [CONDITIONAL]
    assert judge(6, stepped(moved_sleepers=np.nan), stepped(batch_rows=np.nan)) == [UNMEASURED, UNMEASURED]
    assert judge(6, town(pulses=None)) == [UNMEASURED]


def test_uniformly_drawn_words_read_the_expected_share_of_rows() -> None:
    null = find(6, town()).null
    assert null is not None
    assert None not in (null.value, null.low, null.high)
    draw = np.random.default_rng(0)
    drawn = [len(np.unique(draw.integers(ROWS, size=512))) / ROWS for _ in range(400)]
    assert null.value == pytest.approx(np.mean(drawn), rel=0.005)
    assert ((null.high or 0) - (null.low or 0)) / 3.92 == pytest.approx(np.std(drawn), rel=0.1)
    assert find(6, town(batch_tokens=0)).null is None


def touched(correlation: float | None, never: int = 0, dealt: Spread | None = None) -> Evidence:
    chance = dealt or Spread(0.0, 0.02, 20)
    return town(touches=TouchFigures(STEP, correlation, never + 1, never, 7, 5_000, 185.0, chance))


def test_touches_follow_the_counts_and_reach_every_word_of_the_text() -> None:
    # One row more, `<unk>`, is not a word of the text.
    assert judge(7, *map(touched, (0.91, 0.89, 0.51, 0.49))) == [HOLDS, CONDITIONAL, CONDITIONAL, FAILING]
    assert judge(7, touched(0.91, never=1), touched(None), town(touches=None)) == [
        CONDITIONAL,
        UNMEASURED,
        UNMEASURED,
    ]


def test_touches_follow_the_counts_more_than_random_counts() -> None:
    clear, chance = (touched(0.91, dealt=Spread(0.0, deviation, 20)) for deviation in (0.3, 0.305))
    assert judge(7, clear, chance) == [HOLDS, FAILING]
    unknown = TouchFigures(STEP, 0.95, 0, 0, None, 5_000, 185.0, None)
    assert judge(7, town(touches=unknown)) == [FAILING]


def test_sparse_updates_save_a_tenth_a_hundredth_or_less() -> None:
    # Clipping and Adam take 16 operations for each number of every row, or 15 for each of 165 rows.
    saved = 16 * ROWS * WIDTH - 15 * 165 * WIDTH

    def step(times: float) -> Evidence:
        totals = {"forward": times * saved, "backward": 0.0, "update": 0.0}
        return told("microscope", {"operations.totals": totals})

    assert judge(8, *map(step, (8.9, 9.1, 98.0, 100.0))) == [HOLDS, CONDITIONAL, CONDITIONAL, FAILING]
    assert find(8, step(9.0)).figures[0].value == pytest.approx(0.1)
    assert "large_matrix_every_row" not in [figure.code for figure in find(8, step(9.0)).figures]
    timed = told("bench", {"large": {"touched_ms": 1.0, "whole_ms": 40.0}})
    assert [figure.value for figure in find(8, timed).figures[-2:]] == [1.0, 40.0]


def test_updates_of_nearly_all_rows_save_nothing() -> None:
    totals = {"forward": 2e7, "backward": 0.0, "update": 0.0}
    found = [
        told("microscope", {"operations.totals": totals}, stepped(moved_rows=share * ROWS))
        for share in (0.89, 0.91)
    ]
    assert judge(8, *found) == [CONDITIONAL, FAILING]
    small = {"forward": 1e5, "backward": 0.0, "update": 0.0}
    cheap = [
        told("microscope", {"operations.totals": small}, stepped(moved_rows=share * ROWS))
        for share in (0.89, 0.91)
    ]
    assert judge(8, *cheap) == [HOLDS, FAILING]
    dense = told("microscope", {"operations.totals": totals}, stepped(moved_rows=ROWS))
    assert judge(8, replace(dense, optimiser="adam")) == [FAILING]


def test_without_operation_counts_a_step_shows_no_saving() -> None:
    assert judge(8, untold("microscope")) == [UNMEASURED]
    assert judge(8, town(pulses=None), stepped(moved_rows=np.nan)) == [UNMEASURED, UNMEASURED]


def test_other_rules_move_sleepers() -> None:
    lazy, stirred, unmoved = ("lazy", 165, 165), ("tied", 2_382, 2_382), ("decay", 165, 165)
    drifting, graded = ("adam", 165, 900), ("adam", 900, 165)

    def rules(*recipes: tuple[str, int, int]) -> Evidence:
        return told("bench", {"recipes": bench(*recipes)})

    assert judge(
        9,
        rules(lazy, stirred, drifting),
        rules(lazy, graded),
        rules(lazy, stirred, unmoved),
        rules(lazy, unmoved),
    ) == [HOLDS, HOLDS, CONDITIONAL, FAILING]
    # A tenth more than were read is not enough.
    rows = [("adam", *rows) for rows in ((182, 165), (181, 165), (165, 182), (165, 181))]
    assert judge(9, *(rules(lazy, one) for one in rows)) == [HOLDS, FAILING, HOLDS, FAILING]
    assert judge(9, rules(lazy), rules()) == [UNMEASURED, UNMEASURED]
    null = find(9, rules(lazy, stirred)).null
    assert (null and null.value) == 0


def test_a_run_with_another_rule_shows_it_without_an_answer() -> None:
    def own(optimiser: str = "adam", **rows: Any) -> Evidence:
        return untold("bench", optimiser=optimiser, pulses=pulses(**rows))

    assert judge(9, own(moved_rows=900.0), own(gradient_rows=900.0), own()) == [HOLDS, HOLDS, FAILING]
    assert judge(9, own(moved_rows=182.0), own(moved_rows=181.0)) == [HOLDS, FAILING]
    assert judge(9, own("lazy", moved_rows=900.0), own(moved_rows=np.nan)) == [UNMEASURED, UNMEASURED]
    assert judge(9, replace(own("lazy", gradient_rows=2_382.0), tied=True)) == [HOLDS]
    assert judge(9, replace(own(moved_rows=900.0), recorded_elsewhere=True)) == [UNMEASURED]


def housed(house: float, city: float, **changes: Any) -> Evidence:
    """Return evidence of a step that moves these shares of the parameters outside the embedding, and of its
    rows.
    """
    moved = house * (PARAMETERS - ROWS * WIDTH) + city * ROWS * WIDTH
    numbers = {"whole.share": moved / PARAMETERS, "whole.rows_moved": city * ROWS}
    return told("microscope", numbers, town(**changes))


def test_other_parameters_move_while_half_of_the_embedding_rests() -> None:
    assert judge(26, housed(0.91, 0.07), housed(0.89, 0.07)) == [HOLDS, CONDITIONAL]
    assert judge(26, housed(1.0, 0.499), housed(1.0, 0.501)) == [HOLDS, FAILING]
    assert judge(26, housed(0.61, 0.3), housed(0.59, 0.3)) == [CONDITIONAL, FAILING]


def test_other_parameters_that_move_as_rarely_as_rows_are_not_active() -> None:
    numbers = {"whole.share": 0.0730, "whole.rows_moved": 0.0726 * ROWS}
    alone = untold("batch_sizes")
    assert judge(26, told("microscope", numbers), told("microscope", numbers, alone)) == [FAILING, FAILING]


def test_a_larger_batch_touches_three_times_as_many_rows() -> None:
    def sizes(least: float, most: float) -> Evidence:
        found = [{"tokens": 512, "share": least}, {"tokens": 131_072, "share": most}]
        return told("batch_sizes", {"sizes": found})

    assert judge(26, sizes(0.07, 0.211), sizes(0.07, 0.209)) == [HOLDS, CONDITIONAL]
    assert judge(26, sizes(0.35, 0.901), sizes(0.35, 0.899)) == [HOLDS, CONDITIONAL]


def test_unmeasured_larger_batches_are_waited_for() -> None:
    alone = untold("batch_sizes")
    found = find(26, alone)
    assert (found.state, bool(found.waits_for)) == (CONDITIONAL, True)
    twice = [told("batch_sizes", {"sizes": []}, housed(house, 0.3)) for house in (0.61, 0.59)]
    assert judge(26, *twice) == [CONDITIONAL, FAILING]


def test_an_embedding_with_nearly_all_rows_moving_does_not_rest() -> None:
    found = find(26, housed(1.0, 0.91))
    assert (found.state, "city_does_not_sleep" in said(found)) == (FAILING, True)
    assert "city_does_not_sleep" not in said(find(26, housed(1.0, 0.89)))
    assert (
        judge(26, untold("microscope"), town(parameters=None), told("microscope", {"whole.rows": None}))
        == [UNMEASURED] * 3
    )
