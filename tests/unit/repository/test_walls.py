"""A package is beside the training loop or forbidden there, and the glossary says where its words are defined.

A room has few entries at first sight, except collections of equal things.
`tests/lines.py`: a planted overrun is refused, and so is a budget that was raised in silence.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import lines

ROOT = Path(__file__).parents[3]


def test_every_package_is_beside_the_loop_or_forbidden_there():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    loop = next(one for one in contracts["contracts"] if one["name"].startswith("What goes beside"))
    named = {
        name.split(".")[1]
        for name in (*loop["source_modules"], *loop["forbidden_modules"])
        if name != "living_map"
    }
    package = ROOT / "backend/lamplighter"
    # A package that has moved away may leave its bytecode.
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert named == rooms | {path.stem for path in package.glob("[!_]*.py")}


def glossary() -> list[tuple[str, str]]:
    """Return the words of the glossary, each with the file that defines it."""
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    return re.findall(r"^\| \*\*([^*]+)\*\* \|.*\| `([^`]+)` \|$", text, re.M)


def test_each_word_of_the_glossary_is_defined_where_it_says():
    words = glossary()
    assert {"attempt", "lineage", "pulse", "census", "keyframe", "tile", "beat", "district"} <= {
        w for w, _ in words
    }
    for word, place in words:
        source = (ROOT / place).read_text(encoding="utf-8")
        assert re.search(rf"\b{word}", source, re.I), f"{word} is not in {place}"
    own_words, _names = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").split("## On the page")
    assert len(own_words.splitlines()) <= 60


MAX_ENTRIES = 24
ROOTS = ("backend/lamplighter", "backend/living_map", "frontend/src", "tests", "benchmarks", "docs")

COLLECTIONS = {
    "docs/course/stages": "a picture of each stage",
    "docs/decisions": "a record for each decision",
    "tests/browser": "a module for each part of the page",
    "tests/golden": "a file for each format",
    "tests/unit": "a folder for each room of the backend",
}
"""Rooms of equal things, and what each of their entries is."""

UNCOUNTED = {"__init__.py", "__init__.pyi", "__main__.py", "py.typed", "__pycache__", "_static", "generated"}
"""What Python asks of a package, and what is generated."""


def find_rooms(root: Path) -> Iterator[tuple[str, int]]:
    """Yield each folder below a root with the number of its entries."""
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        if UNCOUNTED.isdisjoint(folder.relative_to(root).parts):
            entries = [path.name for path in folder.iterdir() if path.name not in UNCOUNTED]
            seen = [name for name in entries if not name.startswith(".") and not name.endswith(".test.ts")]
            yield folder.as_posix(), len(seen)


@pytest.mark.parametrize("root", ROOTS)
def test_a_room_has_few_entries_unless_they_are_equal(root: str) -> None:
    rooms = {Path(name).relative_to(ROOT).as_posix(): entries for name, entries in find_rooms(ROOT / root)}
    assert rooms
    large = {name: entries for name, entries in rooms.items() if entries > MAX_ENTRIES}
    assert {name: entries for name, entries in large.items() if name not in COLLECTIONS} == {}
    # A collection that has become small is no exception any more.
    assert {name for name in COLLECTIONS if name in rooms} <= set(large)


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
