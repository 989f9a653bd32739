"""The step that answers a question, against a search over all steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.differences.matched_steps import match_steps
from lamplighter.runfolder.errors import NotComparableError

STEPS = st.sets(st.integers(0, 40), min_size=1)


@given(exact=STEPS, other=STEPS, offset=st.integers(-20, 20), asked=st.none() | st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_it_is_the_nearest_before_that_both_kept(
    exact: set[int], other: set[int], offset: int, asked: int | None
) -> None:
    kept, other_kept = (np.array(sorted(steps), dtype=np.int64) for steps in (exact, other))
    newest = max(exact), max(other)
    both = sorted(step for step in exact if step + offset in other)
    if not both:
        with pytest.raises(NotComparableError) as refused:
            match_steps(kept, other_kept, offset, asked, newest)
        assert refused.value.reason.code == "no_common_step"
        return
    found = match_steps(kept, other_kept, offset, asked, newest)
    before = [step for step in both if asked is None or step <= asked]
    assert found.step == (before[-1] if before else both[0])
    assert found.other_step == found.step + offset
    assert (found.first, found.last, found.asked) == (both[0], both[-1], asked)
    assert (found.moved is None) == (asked is None or asked in both)


@pytest.mark.parametrize(
    ("asked", "step", "moved"),
    [(None, 8, None), (6, 6, None), (7, 6, "not_kept"), (9, 8, "other_ends"), (30, 8, "run_ends"), (1, 4, "before_first")],
)  # fmt: skip
def test_it_says_why_another_step_answers(asked: int | None, step: int, moved: str | None) -> None:
    exact, other = np.arange(0, 21, 2), np.arange(0, 5)
    found = match_steps(exact, other, -4, asked, (20, 4))
    assert (found.step, found.moved) == (step, moved)


@pytest.mark.parametrize(
    ("asked", "steps", "moved"),
    [(None, (6, 20), "other_held"), (4, (4, 20), "other_held"), (5, (4, 20), "other_held"), (0, (0, 20), None)],
)  # fmt: skip
def test_a_fork_of_the_last_step_is_compared_with_the_last_state(
    asked: int | None, steps: tuple[int, int], moved: str | None
) -> None:
    exact, parent = np.arange(0, 7, 2), np.arange(0, 21)
    found = match_steps(exact, parent, 20, asked, (6, 20), shared=0)
    assert ((found.step, found.other_step), found.moved) == (steps, moved)
    assert found.clocked == (moved is None)
    # From the parent, whose last step is where they part: at an earlier one the fork has nothing of its own.
    back = match_steps(parent, exact, -20, None if asked is None else 20 + asked, (20, 6), shared=20)
    assert (back.step, back.other_step, back.moved) == (20, 6, "run_held")


def test_a_parent_that_went_on_is_compared_by_the_clock() -> None:
    exact, parent = np.arange(0, 7), np.arange(0, 23)
    found = match_steps(exact, parent, 20, 6, (6, 22), shared=0)
    assert (found.step, found.other_step, found.moved) == (2, 22, "other_ends")
