"""Reserved space for writes on a full disk."""

from __future__ import annotations

import errno
from pathlib import Path

import apsw
import pytest

from lamplighter.runfolder.tables.requests import RequestsReader, RequestsWriter
from lamplighter.runfolder.writing.space_reserve import SpaceReserve
from tests.support.machine.small_disk import small_disk

SIZE = 400_000


def test_a_reserve_takes_real_bytes_in_an_unnamed_file(tmp_path: Path) -> None:
    reserve = SpaceReserve(tmp_path, SIZE)
    reserve.fill()
    assert reserve.held_bytes == SIZE
    assert list(tmp_path.iterdir()) == []
    reserve.close()
    assert reserve.held_bytes == 0


def test_fill_never_raises(tmp_path: Path) -> None:
    reserve = SpaceReserve(tmp_path / "missing", SIZE)
    reserve.fill()
    assert reserve.held_bytes == 0
    with pytest.raises(apsw.FullError):
        reserve.spend_on(_fail_with(apsw.FullError("full")))


def test_requests_repeatedly_fit_into_the_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(monkeypatch) as disk:
        reserve = SpaceReserve(tmp_path, SIZE)
        reserve.fill()
        disk.free = 0
        writer = RequestsWriter(tmp_path, "s1")
        with pytest.raises(apsw.FullError):
            writer.add("pause", {})
        for _ in range(25):
            reserve.spend_on(lambda: writer.add("pause", {}))
            assert disk.free == 0, "what is left is held again"
        assert reserve.held_bytes > SIZE - 50_000
        assert len(RequestsReader(tmp_path).read_new()) == 25
        # Once there is room, the reserve is full again.
        disk.free = 1_000_000
        reserve.spend_on(lambda: writer.add("stop", {}))
        assert reserve.held_bytes == SIZE
        reserve.close()


# SQLite ignores a checkpoint that fails while closing a file, but the simulated disk has raised by then.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("made", [0, 1])
def test_a_request_is_rejected_or_stored_at_any_free_space(
    made: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: dict[Path, bool] = {}
    with small_disk(monkeypatch) as disk:
        for free in range(0, 60_000, 4_096):
            folder = tmp_path / str(free)
            folder.mkdir()
            writer = RequestsWriter(folder, "s1")
            disk.free = 1 << 30
            for _ in range(made):
                writer.add("resume", {})
            disk.free = free
            try:
                writer.add("pause", {})
                answers[folder] = True
            except apsw.FullError:
                answers[folder] = False
    assert set(answers.values()) == {False, True}
    for folder, taken in answers.items():
        kinds = [request.kind for request in RequestsReader(folder).read_new()]
        assert kinds == ["resume"] * made + ["pause"] * taken, folder.name


def test_other_errors_do_not_release_the_reserve(tmp_path: Path) -> None:
    reserve = SpaceReserve(tmp_path, SIZE)
    reserve.fill()
    calls: list[int] = []

    def forbidden() -> None:
        calls.append(reserve.held_bytes)
        raise OSError(errno.EACCES, "Permission denied")

    with pytest.raises(PermissionError):
        reserve.spend_on(forbidden)
    assert calls == [SIZE]
    assert reserve.held_bytes == SIZE
    reserve.close()


def _fail_with(error: Exception):
    def fail() -> None:
        raise error

    return fail
