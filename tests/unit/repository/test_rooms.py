"""A room has few entries at first sight, except collections of equal things."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAX_ENTRIES = 24
ROOTS = ("backend/lamplighter", "backend/living_map", "frontend/src", "tests", "benchmarks", "docs")

COLLECTIONS = {
    "backend/lamplighter/serving/routes": "a module for each resource",
    "benchmarks": "a module for each benchmark",
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


def test_one_entry_too_many_is_noticed(tmp_path: Path) -> None:
    for number in range(MAX_ENTRIES + 1):
        (tmp_path / f"part_{number}.ts").touch()
        (tmp_path / f"part_{number}.test.ts").touch()
    assert dict(find_rooms(tmp_path)) == {tmp_path.as_posix(): MAX_ENTRIES + 1}
