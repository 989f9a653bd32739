"""The check of a real small language model's histories: right ones raise no problem, damaged ones do, at the step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lamplighter.client.histories.history_check import HistoryCheck
from lamplighter.client.histories.report import HistoryReport
from tests.support.synthetic_runs.histories import History
from tests.support.synthetic_runs.trained_histories import Lesson, damages, judge, right_histories

_LESSON = Lesson(size=700)
_NAMES = list(right_histories(_LESSON))
_QUICK = ("constant rate", "unfrozen by turns", "low rank, merged", "grown twice", "soup at the end")
"""What was once taken for damage; the tour tries the others, and all from other seeds."""


def _check(history: Mapping[int, NDArray[Any]]) -> HistoryReport:
    checked = HistoryCheck()
    for step, matrix in sorted(history.items()):
        checked.add_matrix(step, matrix.astype(np.float32))
    return checked.report()


@cache
def _train(seed: int) -> History:
    return Lesson(size=700, seed=seed).run()


_DAMAGES = list(damages(dict.fromkeys(range(0, 120, 6), np.zeros((2, 2), np.float32)), {}))


@pytest.mark.parametrize(
    "name", [name if name in _QUICK else pytest.param(name, marks=pytest.mark.tour) for name in _NAMES]
)
def test_a_right_training_raises_no_problem(name: str):
    report = _check(right_histories(_LESSON)[name]())
    assert [one.sentence for one in report.problems] == []


@pytest.mark.parametrize("name", _DAMAGES)
def test_damage_is_found_at_its_step(name: str):
    damage = damages(_train(0), _train(1))[name]()
    assert judge(_check(damage.history), damage) == ""


@pytest.mark.tour
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_other_seeds_and_a_wider_table(seed: int):
    lesson = Lesson(size=1_400, width=80, seed=seed)
    wrong = {
        name: [one.sentence for one in _check(history()).problems]
        for name, history in right_histories(lesson).items()
    }
    assert {name: told for name, told in wrong.items() if told} == {}
    right, other = lesson.run(), Lesson(size=1_400, width=80, seed=seed + 10).run()
    found = {name: damage() for name, damage in damages(right, other).items()}
    told = {name: judge(_check(damage.history), damage) for name, damage in found.items()}
    assert {name: one for name, one in told.items() if one} == {}


def test_stretches_of_the_same_table_are_notes():
    report = _check(right_histories(_LESSON)["unfrozen by turns"]())
    assert [(one.code, one.severity) for one in report.findings] == [("still", "note")] * 5


def test_a_change_of_size_is_told_once_and_the_rows_in_common_are_compared():
    history = right_histories(_LESSON)["grown"]()
    assert [(one.code, one.severity, one.steps) for one in _check(history).findings] == [
        ("resized", "note", (66,))
    ]
    damaged = history | {108: history[84]}
    assert {(one.code, one.steps) for one in _check(damaged).problems} == {("repeated", (84,))} or {
        (one.code, one.steps) for one in _check(damaged).problems
    } == {("repeated", (108,))}
    rows = history[96].copy()
    rows[:300] = history[48][:300]
    assert [one.steps for one in _check(history | {96: rows}).problems] == [(96,)]


def test_decay_that_goes_on_is_no_other_unit():
    history = _train(0)
    halved = {step: table * np.float32(0.8 ** (step / 6)) for step, table in history.items()}
    assert _check(halved).problems == []


def test_an_eighth_of_the_rows_two_steps_old_is_enough():
    history = _train(0)
    mixed = history[60].copy()
    mixed[: len(mixed) // 8] = history[48][: len(mixed) // 8]
    assert ("returned", (48, 60)) in {(one.code, one.steps) for one in _check(history | {60: mixed}).problems}


def test_a_step_that_overshoots_and_comes_half_way_back_is_right():
    history = _train(0)
    way = history[66] - history[54]
    # Away from both neighbours by twice their distance.
    side = np.roll(way, 1, axis=1)
    assert _check(history | {60: history[54] + way / 2 + np.float32(2) * side}).problems == []


def test_a_training_that_always_forgets_is_not_accused_of_one_step():
    random = np.random.default_rng(0)
    history = {step: random.normal(size=(1_000, 32)).astype(np.float32) for step in range(12)}
    assert _check(history).problems == []


def test_rows_that_outgrow_their_start_hide_it():
    history = _train(0)
    start = np.random.default_rng(1).normal(size=history[0].shape).astype(np.float32) / 100
    assert _check(history | {0: start}).problems == []
