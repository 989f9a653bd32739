"""The lineage of a run: the steps that count after attempts superseded each other.

Step numbers of a client's loop: a few stretches for any number of steps.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter.runfolder.lineage import LAST_STEP, Lineage, split_step_key, step_key
from lamplighter.runfolder.step_numbers import (
    MAX_STRETCHES,
    NUMBERS_FACT,
    StepNumbers,
    read_step_numbers,
)

# The third attempt starts before the second, which therefore has no steps left.
THREE = Lineage.of_attempts([(3, 20), (2, 35), (1, 0)])

first_steps = st.lists(st.integers(0, 30), min_size=1, max_size=6)


def lineage_of(first_steps: list[int]) -> Lineage:
    numbered = enumerate([0, *first_steps], 1)
    return Lineage.of_attempts(sorted(numbered, reverse=True))


def test_an_attempt_continues_from_the_step_before_its_first():
    assert THREE.goes_on_from(1, 19)
    assert THREE.goes_on_from(3, 19)
    assert THREE.goes_on_from(3, 20)
    assert not THREE.goes_on_from(3, 18)
    assert not THREE.goes_on_from(1, 20)


def test_before_the_first_attempt_nothing_counts():
    empty = Lineage.of_attempts([])
    assert not empty
    assert (empty.newest_attempt, empty.range_at(0), empty.counts(0, 0)) == (0, None, False)
    assert THREE


def test_a_record_that_begins_later_has_an_attempt_for_the_step_before_it():
    late = Lineage.of_attempts([(1, 1)])
    assert (late.range_at(0), late.attempt_at(0)) == (None, 1)


@given(first_steps, st.integers(0, 40))
def test_each_step_is_in_one_range_of_the_right_attempt(first_steps: list[int], step: int):
    lineage = lineage_of(first_steps)
    began = dict(enumerate([0, *first_steps], 1))
    assert lineage.attempt_at(step) == max(number for number, first in began.items() if first <= step)
    assert [number for number in began if lineage.counts(number, step)] == [lineage.attempt_at(step)]
    assert all(before.last + 1 == after.first for before, after in pairwise(lineage.ranges))


@given(first_steps, st.integers(0, 40), st.integers(0, 40))
def test_a_clipped_lineage_keeps_attempts_only_inside_the_range(
    first_steps: list[int], first: int, last: int
):
    lineage = lineage_of(first_steps)
    part = lineage.clip(first, last)
    for step in range(45):
        assert part.range_at(step) is None or first <= step <= last
        if first <= step <= last:
            assert part.attempt_at(step) == lineage.attempt_at(step)


@given(first_steps, first_steps, st.integers(0, 40))
def test_the_last_shared_step_is_the_last_with_one_attempt_on_both(one: list[int], two: list[int], step: int):
    ours, theirs = lineage_of(one), lineage_of(two)
    same = [s for s in range(step + 1) if ours.attempt_at(s) == theirs.attempt_at(s)]
    assert ours.last_shared_step(theirs, step) == max(same, default=0)


def test_repr_is_stable_for_entity_tags():
    assert repr(THREE.clip(5, 40)) == "[(1, 5, 19), (3, 20, 40)]"


def test_a_row_id_holds_attempt_and_step():
    assert split_step_key(step_key(3, LAST_STEP)) == (3, LAST_STEP)


class ChangingReader:
    """A reader whose lineage becomes the next of a list when `step_on` is called."""

    def __init__(self, *lineages: Lineage) -> None:
        self.lineages = list(lineages)

    def lineage(self) -> Lineage:
        return self.lineages[0]

    def step_on(self) -> None:
        if len(self.lineages) > 1:
            self.lineages.pop(0)


ONE, TWO = Lineage.of_attempts([(1, 0)]), Lineage.of_attempts([(2, 5), (1, 0)])


def test_rereads_if_an_attempt_began():
    reader = ChangingReader(ONE, TWO)
    seen: list[Lineage] = []

    def read(lineage: Lineage) -> int:
        seen.append(lineage)
        reader.step_on()
        return lineage.newest_attempt

    assert Lineage.stable(reader, read) == 2
    assert seen == [ONE, TWO]


def test_retries_an_error_only_if_an_attempt_began():
    reader = ChangingReader(ONE, TWO)

    def read(lineage: Lineage) -> int:
        reader.step_on()
        lineage.require_current(reader)
        return lineage.newest_attempt

    assert Lineage.stable(reader, read) == 2

    def fail(lineage: Lineage) -> int:
        raise LookupError(f"nothing of attempt {lineage.newest_attempt}")

    with pytest.raises(LookupError, match="nothing of attempt 2"):
        Lineage.stable(reader, fail)


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
