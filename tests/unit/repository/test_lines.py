"""`tests/lines.py`: a planted overrun is refused, and so is a budget that was raised in silence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import lines

ROOM = "backend/lamplighter/wire"


def git(root: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=root,
        check=True,
        capture_output=True,
    )


def commit(root: Path, message: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a repository of one room, within its budget."""
    room = tmp_path / ROOM
    room.mkdir(parents=True)
    (room / "frames.py").write_text('"""Frames."""\n\nSIZE = 4\n')
    git(tmp_path, "init", "-q")
    lines.write_budget(tmp_path, lines.measure_rooms(tmp_path))
    commit(tmp_path, "wire: begin")
    return tmp_path


def growth(root: Path) -> list[str]:
    return lines.find_growth(lines.measure_rooms(root), lines.read_budget(root))


def test_lines_statements_and_files_are_counted(tree: Path) -> None:
    assert lines.measure_rooms(tree) == {ROOM: {"lines": 3, "files": 1, "statements": 1}}
    assert growth(tree) == []


def test_an_overrun_is_refused(tree: Path) -> None:
    (tree / ROOM / "frames.py").write_text('"""Frames."""\n\nSIZE = 4\n# Why four.\n')
    assert growth(tree) == [f"{ROOM} has 4 lines, 1 more than its budget: pay for them there"]
    # Longer lines do not help: statements are counted too.
    (tree / ROOM / "frames.py").write_text('"""Frames."""\n\nSIZE = 4; LENGTH = 2\n')
    assert growth(tree) == [f"{ROOM} has 2 statements, 1 more than its budget: pay for them there"]
    # Neither does a room of its own.
    (tree / "backend/lamplighter/extra").mkdir()
    (tree / "backend/lamplighter/extra/frames.py").write_text("SIZE = 4\n")
    assert growth(tree)[0] == f"backend/lamplighter/extra has no budget: give it one in {lines.BUDGET}"


def raise_budget(root: Path) -> None:
    budget = lines.read_budget(root)
    budget[ROOM]["lines"] += 5
    lines.write_budget(root, budget)


@pytest.mark.parametrize(
    ("message", "others", "refused"),
    [
        ("budget: five lines for frames\n\nPaid by the removal of a copy.", False, False),
        ("budget: five lines for frames", False, True),
        ("wire: five lines for frames\n\nPaid by the removal of a copy.", False, True),
        ("budget: five lines for frames\n\nPaid by the removal of a copy.", True, True),
    ],
)
def test_a_raise_is_a_commit_of_its_own_with_its_reason(
    tree: Path, message: str, others: bool, refused: bool
) -> None:
    raise_budget(tree)
    if others:
        (tree / ROOM / "more.py").write_text("A = 1\n")
    commit(tree, message)
    assert bool(lines.find_silent_raises(tree)) == refused


def test_a_budget_that_falls_needs_no_word(tree: Path) -> None:
    (tree / ROOM / "frames.py").write_text("SIZE = 4\n")
    lines.write_budget(tree, lines.lower_budget(lines.measure_rooms(tree), lines.read_budget(tree)))
    commit(tree, "wire: drop a docstring")
    assert lines.read_budget(tree)[ROOM]["lines"] == 1
    assert lines.find_silent_raises(tree) == []
