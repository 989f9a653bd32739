"""Claims 6, 7, 8, 9 and 26 on numbers on both sides of each threshold.

What the board says of a run of sums.
Intervals and scores, compared with random draws.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.claims.board import make_board
from lamplighter.claims.claim import spread_figure
from lamplighter.claims.evidence import Evidence, TouchFigures
from lamplighter.claims.intervals import CLEAR, Spread, mean_of, share_interval, spread_of
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train
from tests.support.evidences import CONDITIONAL, FAILING, HOLDS, UNMEASURED, find, gather, judge, said
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


def test_a_spread_describes_single_draws_and_a_mean_has_its_standard_error() -> None:
    values = [1.0, 2.0, 3.0, 6.0]
    deviation = float(np.std(values, ddof=1))
    draws, mean = spread_of(values), mean_of(values)
    assert (draws.mean, draws.deviation, draws.draws) == (3.0, pytest.approx(deviation), 4)
    assert (mean.mean, mean.deviation, mean.draws) == (3.0, pytest.approx(deviation / 2), 4)
    assert spread_of([5.0]) == mean_of([5.0]) == Spread(5.0, 0.0, 1)


def test_ninety_five_of_a_hundred_draws_fall_into_the_interval() -> None:
    draws = np.random.default_rng(0).normal(2.0, 0.5, 20_000)
    spread = spread_of(draws.tolist())
    inside = (draws > spread.low) & (draws < spread.high)
    assert inside.mean() == pytest.approx(0.95, abs=0.005)
    mean = mean_of(draws.tolist())
    assert mean.high - mean.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(20_000), rel=0.02)


def test_a_score_counts_deviations_and_stays_finite() -> None:
    assert Spread(2.0, 0.5, 9).score(3.5) == 3.0
    assert Spread(2.0, 0.5, 9).score(0.5) == -3.0
    assert [Spread(2.0, 0.0, 1).score(value) for value in (2.0, 2.1, 1.9)] == [0.0, math.inf, -math.inf]


@pytest.mark.parametrize("share", [0.03, 0.5, 0.9])
def test_wilsons_interval_contains_the_true_share_in_95_of_100_trials(share: float) -> None:
    hits = np.random.default_rng(1).binomial(60, share, 4_000)
    intervals = [share_interval(hit / 60, 60) for hit in hits.tolist()]
    assert np.mean([low <= share <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.03)


def test_wilsons_interval_of_none_and_of_all_is_not_empty() -> None:
    # Textbook value: 10 of 10 trials give 0.722 to 1.
    assert share_interval(1.0, 10) == (pytest.approx(0.7225, abs=1e-4), 1.0)
    assert share_interval(0.0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert share_interval(0.5, 0) == (0.0, 1.0)
    low, high = share_interval(0.5, 40, CLEAR)
    assert (low, high) == (pytest.approx(0.2857, abs=1e-4), pytest.approx(0.7143, abs=1e-4))


def test_the_interval_of_a_share_stays_within_0_and_1() -> None:
    figure = spread_figure("a share", Spread(0.01, 0.02, 20), "share")
    assert (figure.low, figure.draws) == (0.0, 20)
    assert spread_figure("a share", Spread(0.99, 0.02, 20), "share").high == 1.0
    # The distance to another word may be more than a row's length.
    assert spread_figure("a part", Spread(1.4, 0.2, 20), "share").high == pytest.approx(1.792)
    assert spread_figure("nats", Spread(0.01, 0.02, 20), "nats").low == pytest.approx(-0.0292)
