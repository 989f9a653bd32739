"""The spool: bounded room, on disk or in memory, and no leftovers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamplighter.web.capacity import spool as spool_module
from lamplighter.web.capacity.limiter import BusyError
from lamplighter.web.capacity.spool import Spool

MB = 1 << 20


def test_a_file_is_read_while_it_is_written_and_has_no_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    file = spool.open(10)
    assert file.read(0, 5) == b""
    file.write(b"abcd")
    assert (file.read(1, 2), file.read(3, 9), file.read(4, 1)) == (b"bc", b"d", b"")
    file.write(memoryview(b"efghij"))
    assert file.read(0, 99) == b"abcdefghij"
    assert spool.used == 10
    if os.name == "posix":
        assert list(tmp_path.iterdir()) == []
    file.close()
    file.close()
    assert spool.used == 0
    assert list(tmp_path.iterdir()) == []


def test_room_is_bounded_and_partly_reserved_for_the_presenter(tmp_path: Path) -> None:
    spool = Spool(tmp_path, disk_bytes=100, memory_bytes=0)
    held = spool.open(75)
    with pytest.raises(BusyError, match="no room"):
        spool.open(1)
    assert spool.open(25, presenter=True).read(0, 1) == b""
    held.close()
    spool.open(75)


def test_a_file_of_unknown_size_takes_room_as_it_grows_and_returns_the_rest(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path, disk_bytes=100, memory_bytes=0, growth_bytes=40)
    file = spool.open(None, presenter=True)
    file.write(bytes(41))
    assert spool.used == 80
    with pytest.raises(BusyError):
        file.write(bytes(60))
    file.trim()
    assert spool.used == 41
    del file
    assert spool.used == 0


def test_a_full_disk_leaves_room_for_training_and_small_answers_are_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "spare_bytes", lambda _: -1)
    spool = Spool(tmp_path, memory_bytes=100)
    file = spool.open(60)
    file.write(b"x" * 60)
    assert (file.read(59, 9), spool.used) == (b"x", 60)
    with pytest.raises(BusyError):
        spool.open(60)


def test_a_read_only_folder_of_runs_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr(spool_module.tempfile, "gettempdir", lambda: str(elsewhere))
    spool = Spool(tmp_path / "missing", memory_bytes=0)
    file = spool.open(3)
    file.write(b"abc")
    assert file.read(0, 3) == b"abc"


def test_room_is_requested_until_there_is_enough(tmp_path: Path) -> None:
    spool = Spool(tmp_path, disk_bytes=100, memory_bytes=0)
    held = [spool.open(10, presenter=True) for _ in range(10)]
    asked: list[int] = []

    def make_room() -> bool:
        asked.append(len(held))
        if held:
            held.pop().close()
        return bool(held)

    spool.make_room = make_room
    spool.open(40, presenter=True)
    assert asked == [10, 9, 8, 7]


def test_a_complete_body_is_in_memory_while_there_is_room_and_then_in_a_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path, disk_bytes=1_000, memory_bytes=100)
    first, second = (spool.hold(bytes(60), presenter=False) for _ in range(2))
    assert (first.in_memory, second.in_memory, spool.used) == (True, False, 120)
    assert first.read(0, 100) == second.read(0, 100) == bytes(60)
    first.close()
    third = spool.hold(bytes(75))
    assert (third.in_memory, spool.used) == (True, 135)
