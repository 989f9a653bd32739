"""Step numbers of a client's loop: a few stretches for any number of steps."""

from __future__ import annotations

import numpy as np
import pytest

from lamplighter.runfolder.step_numbers import (
    MAX_STRETCHES,
    NUMBERS_FACT,
    StepNumbers,
    read_step_numbers,
)


@pytest.mark.parametrize(
    ("first", "stride", "numbers", "stretches"),
    [
        (0, 1, range(1, 2_000), 1),
        (5_000, 1, range(5_001, 7_000), 1),
        (0, 10, range(10, 20_000, 10), 1),
        (5_003, 10, range(5_010, 9_000, 10), 2),
        (0, 1, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, *range(1_000, 9_000, 1_000)], 8),
        (0, 1, [*range(1, 500), *range(502, 900), *range(905, 999)], 3),
    ],
)
def test_numbers_round_trip(first: int, stride: int, numbers: list[int], stretches: int) -> None:
    kept = StepNumbers([(0, first, stride)])
    for step, number in enumerate(numbers, start=1):
        kept.set_number(step, number)
    again = read_step_numbers({NUMBERS_FACT: kept.stretches})
    assert [again.number_of(step) for step in range(len(numbers) + 1)] == [first, *numbers]
    assert len(kept.stretches) <= stretches


def test_an_unrecorded_step_has_no_number() -> None:
    kept = StepNumbers()
    for step, number in ((1, 1), (2, 7), (3, 8), (2, 9), (3, 11)):
        kept.set_number(step, number)
    assert [kept.number_of(step) for step in range(4)] == [0, 1, 9, 11]


def test_numbers_after_too_many_stretches_are_unknown() -> None:
    kept = StepNumbers()
    numbers = np.cumsum(np.random.default_rng(0).integers(1, 1_000, size=3 * MAX_STRETCHES)).tolist()
    for step, number in enumerate(numbers, start=1):
        kept.set_number(step, number)
    assert len(kept.stretches) == MAX_STRETCHES + 1
    known = [kept.number_of(step) for step in range(1, len(numbers) + 1)]
    end = known.index(None)
    assert known == numbers[:end] + [None] * (len(numbers) - end)
    assert end >= MAX_STRETCHES


def test_numbers_of_a_trained_run_equal_its_steps() -> None:
    assert read_step_numbers({}).number_of(17) == 17
    assert StepNumbers().are_steps
