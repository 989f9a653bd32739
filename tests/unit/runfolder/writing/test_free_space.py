"""Free disk space: sizes at which snapshots pause and resume, frequency of queries, and disk-full errors."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest

from lamplighter.runfolder.writing import free_space
from lamplighter.runfolder.writing.free_space import FreeSpace, has_no_room, is_disk_full, spare_bytes

MB, GB = 10**6, 10**9


class Disk:
    """A simulated disk, and a clock moved by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.total = self.free = GB
        self.now = 1_000.0
        self.asked = 0
        monkeypatch.setattr(free_space.shutil, "disk_usage", self._usage)
        monkeypatch.setattr(free_space, "time", SimpleNamespace(monotonic=lambda: self.now))

    def _usage(self, path: Path) -> SimpleNamespace:
        self.asked += 1
        return SimpleNamespace(total=self.total, free=self.free)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.mark.parametrize(
    ("total", "reserve"),
    [
        # A twentieth of the disk, at least 16 MB and at most 200 MB; a quarter of a tiny one.
        (GB, 50 * MB),
        (100 * GB, 200 * MB),
        (200 * MB, 16 * MB),
        (40 * MB, 10 * MB),
    ],
)
def test_snapshots_pause_below_the_reserve_and_resume_well_above_it(
    disk: Disk, tmp_path: Path, total: int, reserve: int
):
    space = FreeSpace(tmp_path)
    disk.total = total
    for free, paused, said in (
        (reserve, False, None),
        (reserve - 1, True, "MB are free"),
        (int(1.4 * reserve), True, None),
        (int(1.6 * reserve), False, "there is room on the disk again"),
        (int(1.4 * reserve), False, None),
    ):
        disk.free = free
        disk.now += 0.25
        message = space.refresh()
        assert space.paused is paused
        assert message is None if said is None else message and said in message


def test_queries_the_disk_at_most_four_times_a_second(disk: Disk, tmp_path: Path):
    space = FreeSpace(tmp_path)
    for _ in range(100):
        space.refresh()
        disk.now += 0.01
    assert disk.asked == 4


def test_retries_failed_writes_with_growing_delays(disk: Disk, tmp_path: Path):
    """A quota does not show in the free space."""
    space = FreeSpace(tmp_path)
    for delay in (0.5, 1, 2, 4, 8, 16, 32, 60, 60):
        assert "quota" in space.pause("quota")
        disk.now += delay - 0.01
        assert space.refresh() is None
        assert space.paused
        disk.now += 0.02
        assert space.refresh()
        assert not space.paused
    space.reset_retry_delay()
    space.pause("quota")
    disk.now += 0.51
    assert space.refresh()


def test_the_spare_bytes_leave_twice_the_reserve(disk: Disk, tmp_path: Path):
    disk.free = 300 * MB
    assert spare_bytes(tmp_path) == 200 * MB
    disk.free = 40 * MB
    assert spare_bytes(tmp_path) == -60 * MB


def test_recognises_disk_full_errors():
    write_failed, read_failed = apsw.IOError("write"), apsw.IOError("read")
    write_failed.extendedresult = apsw.SQLITE_IOERR_WRITE
    read_failed.extendedresult = apsw.SQLITE_IOERR_READ
    full, refused = OSError(errno.ENOSPC, "full"), OSError(errno.EACCES, "no")
    quota, other = OSError(errno.EDQUOT, "quota"), ValueError("other")
    for error, no_room, disk_full in (
        (apsw.FullError("full"), True, True),
        (write_failed, True, True),
        # A writer does not read, so the error is of a write.
        (read_failed, False, True),
        (full, True, True),
        (quota, True, True),
        (refused, False, False),
        (other, False, False),
    ):
        assert (has_no_room(error), is_disk_full(error)) == (no_room, disk_full), error
