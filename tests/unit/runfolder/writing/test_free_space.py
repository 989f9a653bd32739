"""Free disk space: sizes at which snapshots pause and resume, frequency of queries, and disk-full errors.

Reserved space for writes on a full disk.
The estimated size of a run on disk, against its real size.
"""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import numpy as np
import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.model.batches import batch_positions
from lamplighter.runfolder.tables.requests import RequestsReader, RequestsWriter
from lamplighter.runfolder.writing import free_space
from lamplighter.runfolder.writing.free_space import (
    FreeSpace,
    SpaceReserve,
    has_no_room,
    is_disk_full,
    spare_bytes,
)
from lamplighter.runfolder.writing.size_estimate import estimate_lit_rows, estimate_size
from lamplighter.training.worker import train
from tests.support.machine.small_disk import small_disk
from tests.support.runs import make_run, small_text

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


def recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate(changes)


@pytest.mark.parametrize("kind", ["lazy", "adam"])
def test_estimates_match_small_runs(tmp_path: Path, kind: str):
    factor = 1.4
    run = make_run(tmp_path, steps=300, optimiser={"kind": kind})
    assert train(run) == "finished"
    taken = run.bytes_on_disk()
    said = estimate_size(run.recipe, len(run.vocabulary), len(small_text().encode()), without_workers=True)
    assert taken / factor < said.bytes < taken * factor
    assert sum(said.parts.model_dump().values()) == said.whole
    # From the recipe alone the vocabulary is an upper bound, so the estimate is rarely too low.
    assert estimate_size(run.recipe, without_workers=True).bytes > taken / factor


def test_estimated_lit_rows_match_lamptown():
    corpus = build_corpus(Recipe().corpus, 0, None, None)
    for shape in ({"sequences": 4, "passages": 2}, {}, {"sequences": 64, "passages": 16}):
        asked = recipe(**shape)
        batches = [batch_positions(asked, len(corpus.token_ids), step)[:, :-1] for step in range(1, 20)]
        seen = np.mean([len(np.unique(corpus.token_ids[batch])) for batch in batches])
        assert 0.75 < estimate_lit_rows(asked, len(corpus.vocabulary)) / seen < 1.35
    known, guessed = estimate_size(Recipe(), len(corpus.vocabulary)), estimate_size(Recipe())
    assert abs(guessed.parts.keyframes - known.parts.keyframes) < 0.05 * known.parts.keyframes


def test_estimates_change_in_the_right_direction():
    usual = estimate_size(Recipe())
    assert usual.fits
    assert usual.exact
    # A default run has 27, of which two are its checkpoints, and the first has no moments.
    assert 24 < usual.parts.waypoints / (usual.parts.checkpoints / 2) < 25
    assert (
        estimate_size(recipe(cadence={"waypoint_every": 100_000})).parts.waypoints < usual.parts.waypoints / 3
    )
    assert estimate_size(recipe(steps=1)).parts.waypoints < usual.parts.checkpoints / 4
    assert estimate_size(recipe(steps=10_000)).parts.moved_rows == 2 * usual.parts.moved_rows
    assert estimate_size(recipe(cadence={"keyframe_every": 1_000})).parts.keyframes < usual.parts.keyframes
    assert estimate_size(recipe(model={"dim": 128})).bytes > 1.5 * usual.bytes
    assert estimate_size(Recipe(), without_workers=True).parts.moved_rows > usual.parts.moved_rows
    dense = estimate_size(recipe(optimiser={"kind": "adam"}))
    assert not dense.exact
    assert dense.parts.moved_rows == 0
    few = estimate_size(recipe(disk_budget=50_000_000))
    assert not few.fits
    assert few.bytes == 50_000_000 < few.whole
    text = recipe(corpus={"kind": "text", "vocabulary_size": 200_000})
    assert estimate_size(text, text_bytes=1_000).bytes < estimate_size(text).bytes
    # The largest values do not overflow. Only a client's loop may have all of them at once.
    largest = recipe(
        steps=100_000_000,
        sequences=65_536,
        passages=65_536,
        model={"dim": 16_384, "layers": 64, "context": 4_096},
        corpus={"kind": "recorded", "vocabulary_size": 200_000},
        disk_budget=10**15,
    )
    assert 10**14 < estimate_size(largest).bytes < 10**17
