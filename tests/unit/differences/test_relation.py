"""The clock of two runs: forks, forks of forks, siblings, strangers, and parents that are gone.

The step that answers a question, against a search over all steps.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.differences.matched_steps import Relation, match_steps, relate
from lamplighter.runfolder.errors import NotComparableError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import make_run
from tests.support.synthetic_runs.compared_runs import make_fork


@pytest.fixture
def parent(tmp_path: Path) -> RunFolder:
    return make_run(RunStore(tmp_path))


def relation(run: RunFolder, other: RunFolder) -> Relation:
    beside = {path.name: RunFolder(path) for path in run.path.parent.iterdir() if path.name[0] != "."}
    return relate(run, other, beside.get)


def test_a_fork_and_its_parent_share_the_clock_of_the_parent(parent: RunFolder) -> None:
    fork = make_fork(parent, 12)
    assert relation(fork, parent) == Relation("fork", parent.id, 12, 0)
    assert relation(parent, fork) == Relation("parent", parent.id, -12, 12)
    assert relation(parent, parent) == Relation("same", parent.id)


def test_offsets_add_up_along_a_chain(parent: RunFolder) -> None:
    fork = make_fork(parent, 12)
    second = make_fork(fork, 5, 12)
    assert relation(second, fork) == Relation("fork", fork.id, 5, 0)
    # They parted at step 12 of the parent, before the second fork began.
    assert relation(second, parent) == Relation("fork", parent.id, 17, None)
    assert relation(parent, second) == Relation("parent", parent.id, -17, 12)


def test_siblings_count_from_the_run_that_both_come_from(parent: RunFolder) -> None:
    early, late = make_fork(parent, 10), make_fork(parent, 25)
    assert relation(early, late) == Relation("siblings", parent.id, -15, 0)
    assert relation(late, early) == Relation("siblings", parent.id, 15, None)
    cousin = make_fork(early, 3, 10)
    assert relation(cousin, late) == Relation("siblings", parent.id, -12, None)
    twin = make_fork(parent, 10)
    assert relation(early, twin) == Relation("siblings", parent.id, 0, 0)


def test_a_parent_that_is_gone_is_still_the_parent(parent: RunFolder) -> None:
    one, other = make_fork(parent, 10), make_fork(parent, 20)
    below = make_fork(one, 5, 10)
    shutil.rmtree(parent.path)
    assert relation(one, other) == Relation("siblings", parent.id, -10, 0)
    # What lies before a run that is gone is not known here.
    shutil.rmtree(one.path)
    assert relation(below, other) == Relation("none")


def test_strangers_and_circles(parent: RunFolder, tmp_path: Path) -> None:
    stranger = make_run(RunStore(tmp_path))
    assert relation(parent, stranger) == Relation("none")
    fork = make_fork(parent, 4)
    # A hostile recipe may name a run that comes from it.
    text = (fork.path / "recipe.json").read_text(encoding="utf-8")
    (parent.path / "recipe.json").write_text(text.replace(parent.id, fork.id), encoding="utf-8")
    circle = RunFolder(parent.path)
    assert relation(circle, fork).kind in ("fork", "parent", "siblings")
    (fork.path / "recipe.json").write_text("{", encoding="utf-8")
    assert relation(circle, RunFolder(stranger.path)) == Relation("none")


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
