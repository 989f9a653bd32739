"""Preparation folders: removed when done, cleared after a kill, never while in use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import atomic_output, no_progress
from lamplighter.platform.failpoint import VARIABLE
from lamplighter.runfolder import preparation
from lamplighter.runfolder.preparation import preparation_folder
from lamplighter.runfolder.role_lock import RoleLock, lock_path
from lamplighter.runfolder.run_store import RunStore
from tests.support.synthetic_runs.recorded import record

KILLED = """
import os, signal, sys
from pathlib import Path
from lamplighter.runfolder.preparation import preparation_folder
with preparation_folder(Path(sys.argv[1]), "making") as folder:
    (folder / "run").mkdir()
    (folder / "run" / "recipe.json").write_text("half")
    print(folder.name, flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_creating_a_run_leaves_no_preparation_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(tmp_path)
    run = store.create(Recipe())
    kept = ["checkpoints", "name.txt", "plain-name.txt", "recipe.json"]
    assert sorted(path.name for path in run.path.iterdir()) == kept
    assert [path.name for path in tmp_path.iterdir()] == [run.id]

    def full(path: Path, text: str) -> None:
        path.with_suffix(".part").write_text(text[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lamplighter.runfolder.run_store.write_atomically", full)
    with pytest.raises(OSError, match="No space left"):
        store.create(Recipe(), "text")
    assert [path.name for path in tmp_path.iterdir()] == [run.id]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_clears_folders_of_killed_processes_but_not_of_living_ones(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        store = RunStore(tmp_path)
        with preparation_folder(tmp_path, "importing") as ours:
            assert store.clear_leftovers() == 0
            assert {path.name for path in tmp_path.iterdir()} == {name, ours.name}
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.wait(20) == -signal.SIGKILL
            assert store.clear_leftovers() == 1
            assert [path.name for path in tmp_path.iterdir()] == [ours.name]
        assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_the_next_command_clears_a_killed_import(tmp_path: Path) -> None:
    packed = export_run(record(tmp_path / "runs"), "zip", out=tmp_path / "run.zip")
    command = [sys.executable, "-m", "lamplighter", "--runs", str(tmp_path / "other"), "import", str(packed)]
    killed = subprocess.run(
        command, env=os.environ | {VARIABLE: "import:1"}, capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = (tmp_path / "other").iterdir()
    assert left.name.startswith(".importing-")
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not left.exists()
    assert [path.name for path in (tmp_path / "other").iterdir()] == [again.stdout.split(":")[0]]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    ("failpoint", "words"),
    [
        pytest.param("export:1", ("export", "{run}", "--to", "npy", "--out", "{out}/a.npy"), id="export"),
        pytest.param(
            "export-unnamed:1",
            ("gallery", "{run}", "--out", "{out}/site"),
            id="gallery",
            marks=pytest.mark.tour,
        ),
    ],
)
def test_the_next_export_into_a_folder_clears_a_killed_one(
    tmp_path: Path, failpoint: str, words: tuple[str, ...]
) -> None:
    run, out = record(tmp_path / "runs"), tmp_path / "out"
    (out / ".making-something-of-the-users").mkdir(parents=True)
    told = [word.format(run=run.id, out=out) for word in words]
    command = [sys.executable, "-m", "lamplighter", "--runs", str(run.path.parent), *told]
    killed = subprocess.run(command, env=os.environ | {VARIABLE: failpoint}, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = (path for path in out.iterdir() if path.name.startswith(".lamplighter-"))
    with atomic_output(out / "living") as living:
        living.write_text("half of it")
        export_run(run, "csv", out=out / "b.csv")
        assert not left.exists()
        living.write_text("all of it")
    assert {path.name for path in out.iterdir()} == {".making-something-of-the-users", "b.csv", "living"}


def test_clears_leftovers_of_earlier_versions_but_no_other_folders(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    kept = store.create(Recipe())
    for name in (".importing-ef761a5b4c6b", ".making-2026-11-25-lamptown-502661"):
        (tmp_path / name / "run").mkdir(parents=True)
    (tmp_path / ".uploads").mkdir()
    (tmp_path / ".making-a-file").write_text("mine")
    (tmp_path / ".making-a-link").symlink_to(kept.path)
    assert store.clear_leftovers() == 2
    assert {path.name for path in tmp_path.iterdir()} == {
        kept.id,
        ".uploads",
        ".making-a-file",
        ".making-a-link",
    }
    assert (kept.path / "recipe.json").exists()


def test_keeps_a_folder_with_an_unreadable_lock(tmp_path: Path) -> None:
    """Without file descriptors it is unknown whether the folder is in use."""
    folder = tmp_path / ".making-x"
    lock_path(folder, "preparation").mkdir(parents=True)
    assert RunStore(tmp_path).clear_leftovers() == 0
    assert folder.exists()


def test_takes_another_folder_if_cleared_before_locking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleared: list[str] = []

    def late(folder: Path, role: str) -> RoleLock:
        if not cleared:
            cleared.append(folder.name)
            assert RunStore(tmp_path).clear_leftovers() == 1
        return RoleLock(folder, role)

    monkeypatch.setattr(preparation, "RoleLock", late)
    with preparation_folder(tmp_path, "making") as folder:
        assert cleared
        assert folder.name != cleared[0]
        assert folder.is_dir()


def test_imports_into_a_store_that_is_being_cleared(tmp_path: Path) -> None:
    packed = export_run(record(tmp_path / "runs"), "zip", out=tmp_path / "run.zip")
    store = RunStore(tmp_path / "other")
    cleared: list[int] = []
    import_zip(
        store,
        packed,
        lambda share, what: (
            cleared.append(store.clear_leftovers()) if len(cleared) < 2 else no_progress(share, what)
        ),
    )
    assert cleared == [0, 0]
    assert len(store.runs()) == 1
