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
