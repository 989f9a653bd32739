"""Copies of a run that is being written: by `backup` they are whole, and file by file they are refused or right, never wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.sqlite.wal import WalKeeper
from tests.support.machine.small_disk import small_disk

V, D = 800, 100
TOKENS = [f"word{i}" for i in range(V)]


def steps_of(recorder: lamplighter.Recorder, last: int) -> Iterator[int]:
    """Record steps after each of which the matrix is full of its number."""
    weights = np.zeros((V, D), np.float32)
    for step in range(1, last + 1):
        weights[:] = step
        recorder.step(weights, [step % V], float(step), gradient=weights)
        yield step


def begin(folder: Path, **options: Any) -> lamplighter.Recorder:
    return lamplighter.record(
        folder, TOKENS, embedding=np.zeros((V, D), np.float32), keyframe_every=2, on_error="raise", **options
    )


def why_refused(folder: Path) -> str | None:
    """Read all of a run, which must be right. Return why it is refused, if it is."""
    try:
        run = lamplighter.open(folder)
        for step in run.snapshot_steps().tolist():
            assert (run.snapshot(step) == step).all()
        path = run.path(3)
        assert (path.vectors == path.steps[:, None]).all()
        losses = [pulse.loss for pulse in run.steps()]
        assert losses == list(range(1, len(losses) + 1))
    except lamplighter.FormatError as error:
        return str(error)
    return None


def test_a_copy_file_by_file_is_refused_or_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WalKeeper, "_run", do_nothing)
    copy, source = tmp_path / "copy", tmp_path / "mine"
    copy.mkdir()
    found: list[str | None] = []
    with begin(source, disk_budget=3_000_000) as recorder:
        recording = recorder._recording  # pyright: ignore[reportPrivateUsage]
        assert recording is not None
        for step in steps_of(recorder, 150):
            # Between two copies the log is emptied into the file and begun again.
            recording.writer.empty_wal()
            data = (source / "steps.sqlite").read_bytes()
            if step % 4 == 0:
                (copy / "steps.sqlite").write_bytes(data[: len(data) // 2])
            elif step % 4 == 2 and step > 20:
                with (copy / "steps.sqlite").open("ab") as file:
                    file.write(data[file.tell() :])
            elif step % 4 == 3 and step > 20:
                for name in ("recipe.json", "vocabulary.json", "steps.sqlite-wal"):
                    shutil.copyfile(source / name, copy / name)
                (copy / "steps.sqlite-shm").unlink(missing_ok=True)
                found.append(why_refused(copy))
    refused = [why for why in found if why is not None]
    assert len(refused) >= 5
    assert any("it is not what was written" in why for why in refused)
    for why in refused:
        assert "if this is a copy that was made while the run was being written" in why
        assert "lamplighter.open(folder).backup(target)" in why


def do_nothing(_: WalKeeper) -> None:
    """Take the place of the thread that empties the log."""


def test_a_backup_is_of_one_moment_and_needs_nothing_else(tmp_path: Path) -> None:
    with begin(tmp_path / "mine") as recorder:
        steps = steps_of(recorder, 13)
        assert [next(steps) for _ in range(9)][-1] == 9
        (recorder.folder / "plain-name.txt").write_text("A recorded run 2", encoding="utf-8")
        copied = lamplighter.open(recorder.folder).backup(tmp_path / "elsewhere" / "copied")
        assert list(steps)[-1] == 13
    assert copied.folder == tmp_path / "elsewhere" / "copied"
    assert (copied.status.step, copied.status.phase, copied.status.alive) == (9, "running", False)
    assert copied.tokens == tuple(TOKENS)
    assert copied.snapshot_steps().tolist() == [0, 2, 4, 6, 8]
    assert (copied.snapshot(8) == 8).all()
    assert sorted(path.name for path in copied.folder.iterdir()) == sorted(
        ["corpus.json", "name.txt", "plain-name.txt", "recipe.json", "steps.sqlite", "vocabulary.json"]
    )
    assert {path.stat().st_mode & 0o777 for path in copied.folder.iterdir()} == {0o600}
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["copied"]
    with pytest.raises(lamplighter.InputError, match="not an empty folder"):
        copied.backup(tmp_path / "mine")
    with pytest.raises(lamplighter.InputError, match="a run cannot be called"):
        copied.backup(tmp_path / "My run")


def test_a_full_disk_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with begin(tmp_path / "mine") as recorder:
        list(steps_of(recorder, 4))
    with small_disk(monkeypatch) as disk:
        disk.free = 100_000
        with pytest.raises(lamplighter.InputError, match=r"copied cannot be created: .*full"):
            lamplighter.open(tmp_path / "mine").backup(tmp_path / "copied")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_damaged_closed_file_makes_no_copy(tmp_path: Path) -> None:
    with begin(tmp_path / "mine") as recorder:
        list(steps_of(recorder, 4))
    path = tmp_path / "mine" / "steps.sqlite"
    data = bytearray(path.read_bytes())
    # In the middle of a matrix.
    at = data.find(np.full(2_000, 4, np.float32).tobytes())
    assert at > 0
    data[at + 4_000] ^= 1
    path.write_bytes(data)
    run = lamplighter.open(tmp_path / "mine")
    assert (run.snapshot(2) == 2).all()
    with pytest.raises(lamplighter.FormatError, match=r"damaged: it is not what was written$"):
        run.snapshot(4)
