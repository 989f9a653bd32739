"""The clock of two runs: forks, forks of forks, siblings, strangers, and parents that are gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lamplighter.differences.relation import Relation, relate
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
