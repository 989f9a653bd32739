"""What is wrong with a history is found and said, and nothing is said of one that is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lamplighter.client.histories.history_check import HistoryCheck
from lamplighter.client.histories.report import Finding, HistoryReport
from lamplighter.runfolder.loop_facts import MAX_HISTORY_BYTES
from tests.support.synthetic_runs.histories import (
    PYTHIA_STEPS,
    RIGHT,
    History,
    Matrix,
    Training,
    as_bfloat16,
    as_float16,
    pythia_history,
)

PLAIN = Training()


def check(history: History) -> HistoryReport:
    checked = HistoryCheck()
    for step, matrix in sorted(history.items()):
        checked.add_matrix(step, matrix)
    return checked.report()


def found(history: History) -> list[tuple[str, tuple[int, ...]]]:
    return [(finding.code, finding.steps) for finding in check(history).problems]


@pytest.fixture(scope="module")
def pythia() -> History:
    return pythia_history()


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_wrong_with_a_right_history(name: str):
    report = check(RIGHT[name]())
    assert report.problems == []
    assert [finding.code for finding in report.findings] == ["still"] * ("frozen" in name or "linear" in name)


def test_most_of_a_history_is_the_last_table(pythia: History):
    """The pattern of pythia-2.8b: 86 of 154 revisions hold the last embedding, step 0 included, in two files."""
    late = {54_000, 56_000, 57_000, 58_000, 59_000, 61_000, 62_000, 63_000, 64_000}
    round_ones = {
        55_000,
        60_000,
        65_000,
        70_000,
        80_000,
        90_000,
        100_000,
        103_000,
        110_000,
        120_000,
        130_000,
        140_000,
    }
    early = {step for step in PYTHIA_STEPS if step <= 53_000}
    copies = early | late | round_ones
    assert len(copies) == 85
    report = check(pythia | dict.fromkeys(copies, pythia[143_000]))
    [finding] = report.problems
    assert (finding.code, set(finding.steps), finding.of) == ("repeated", copies, 143_000)
    assert finding.sentence.startswith(
        "86 of 154 checkpoints hold, number for number, the table of step 143,000, the last, step 0 among them:"
        " steps 0 to 65,000, 70,000, 80,000, "
    )


@pytest.mark.parametrize("store", [np.copy, as_bfloat16, as_float16])
def test_the_last_table_amid_a_history(pythia: History, store: Callable[[Matrix], Matrix]):
    """The pattern of pythia-12b: two steps hold the last embedding; here also in a coarser format."""
    broken = pythia | dict.fromkeys((50_000, 58_000), store(pythia[143_000]))
    (finding,) = check(broken).problems
    assert finding.steps == (50_000, 58_000)
    if store is np.copy:
        assert (finding.code, finding.of) == ("repeated", 143_000)


def test_a_start_that_the_others_do_not_descend_from():
    """The pattern of PolyPythias' weight seeds: all steps but 0 come from one start, and step 0 is another."""
    training = replace(PLAIN, size=900, keep=(0, 1, 2, 4, 8, *range(10, 201, 10)))
    history = training.run()
    history[0] = replace(training, start_seed=99, steps=0, keep=(0,)).run()[0]
    assert found(history) == [("not_descended", (0, 1))]
    tables = {row.step: row for row in check(history).tables}
    assert abs(tables[8].cosine_to_first) < 0.1
    assert (tables[8].cosine_to_before or 0) > 0.9


def test_a_history_that_goes_on_from_another():
    one, other = (replace(PLAIN, size=900, seed=seed).run() for seed in (1, 2))
    joined = {step: (one if step < 100 else other)[step] for step in one}
    assert found(joined) == [("not_descended", (90, 100))]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_steps_of_another_history_are_out_of_line(length: int):
    one, other = (replace(PLAIN, seed=seed).run() for seed in (1, 2))
    strange = [50 + 10 * at for at in range(length)]
    assert found(one | {step: other[step] for step in strange}) == [("out_of_line", tuple(strange))]


def test_a_step_in_another_unit_is_out_of_line():
    history = PLAIN.run()
    report = check(history | {100: 8 * history[100]})
    (finding,) = report.problems
    assert (finding.code, finding.steps) == ("out_of_line", (100,))
    figures = finding.figures
    assert figures["median_norm"] > 7 * figures["median_norm_before"]
    assert "out of line, with a median cosine of " in finding.sentence


def test_a_tenth_of_the_rows_is_enough_to_be_out_of_line():
    history = replace(PLAIN, is_sparse=True).run()
    # What stands still over the step before and the step after is no return.
    strange = history[100].copy()
    strange[50:125] = 0
    assert found(history | {100: strange}) == [("out_of_line", (100,))]


def test_rows_of_another_step():
    history = PLAIN.run()
    mixed = history[50].copy()
    mixed[:200] = history[10][:200]
    codes = dict(found(history | {50: mixed}))
    assert codes["returned"] == (10, 50)


def test_a_pair_in_a_row_stood_still_wherever_it_lies():
    history = PLAIN.run()
    report = check(history | {100: history[90]})
    assert [(one.code, one.steps) for one in report.findings] == [("still", (90, 100))]
    report = check(history | {190: history[200]})
    assert [(one.code, one.steps) for one in report.findings] == [("still", (190, 200))]


def test_a_history_in_which_nothing_moves():
    still = PLAIN.run()[0]
    assert found(dict.fromkeys(range(5), still)) == [("repeated", (0, 1, 2, 3, 4))]


def test_zeros_of_both_signs_are_the_same():
    history = PLAIN.run()
    history[200][:, 0] = 0
    history[0] = history[200].copy()
    history[0][:, 0] = -0.0
    assert [code for code, _ in found(history)] == ["repeated"]


def test_rows_that_are_not_finite_are_counted():
    history = PLAIN.run()
    history[30] = history[30].copy()
    history[30][7, 3], history[30][9] = np.nan, np.inf
    (finding,) = check(history).problems
    assert (finding.code, finding.steps, finding.figures["rows"]) == ("not_finite", (30,), 2)
    assert (
        finding.sentence == "step 30: in 2 of the rows are values that are not finite numbers, first in row 7"
    )


def test_another_shape_or_vocabulary():
    history = PLAIN.run()
    checked = HistoryCheck()
    for step, matrix in history.items():
        checked.add_matrix(step, matrix[:-1] if step == 40 else matrix)
    words = tuple(map(str, range(500)))
    for step, tokens in ((0, words), (20, words), (60, words[::-1]), (80, (*words[1:], "new"))):
        checked.add_tokens(step, tokens)
    checked.add_unreadable(420, "no weights")
    problems = [(one.code, one.steps) for one in checked.report().problems]
    assert problems == [
        ("other_shape", (40,)),
        ("other_order", (60,)),
        ("other_tokens", (80,)),
        ("unreadable", (420,)),
    ]


@pytest.mark.parametrize(
    ("steps", "missing"),
    [
        ([0, 10, 20, 30, 50, 60, 80, 90], (40, 70)),
        ([0, 1, 2, 4, 16, 32, 1000, 2000, 3000, 4000, 5000, 7000, 8000], (8, 6000)),
        ([0, 10, 20, 30, 40], ()),
        ([0, 1, 2, 4, 8, 16, 100, 200, 300], ()),
        ([0, 10, 20, 30, 40, 50, 100, 150, 200], ()),
        ([3, 17, 19, 40, 77], ()),
        ([0, 1, 2, 3, 4, 1 << 59, (1 << 59) + 1, (1 << 59) + 2], None),
    ],
)
def test_steps_that_a_grid_lacks(steps: list[int], missing: tuple[int, ...] | None):
    random = np.random.default_rng(0)
    notes = check({step: random.normal(size=(6, 4)).astype(np.float32) for step in steps}).findings
    told = notes[0].steps if notes else ()
    assert len(told) == 1_000 if missing is None else told == missing


def test_what_is_kept_with_a_run_is_bounded():
    findings = [
        Finding("missing", "note", tuple(range(at, at + 500)), "last", {}) for at in range(0, 10_000, 500)
    ]
    report = HistoryReport(tuple(range(10_000)), tuple(findings), ())
    assert len(report.as_json()["findings"]) == 20
    fact = report.as_fact()
    assert 0 < len(fact["findings"]) < 20
    assert len(json.dumps(fact).encode()) <= MAX_HISTORY_BYTES
