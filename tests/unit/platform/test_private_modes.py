"""Runs, texts and uploads are private; shared folders stay shared, with new files in them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import no_progress
from lamplighter.model.checkpoint import save_checkpoint
from lamplighter.platform.private_modes import restrict_like_folder
from lamplighter.processes.log_file import limit_log, open_log
from lamplighter.runfolder.role_lock import DiskFullFlag, RoleLock
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.jobs.uploads import Uploads
from tests.support.checkpoints import make
from tests.support.folders import FakeTrainer, make_run
from tests.support.synthetic_runs.recorded import record
from tests.support.uploads import store_text

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(folder: Path) -> set[int]:
    """Return the modes of all files below a folder, and of the folders."""
    return {mode(path) for path in folder.rglob("*")} | {mode(folder)}


def test_all_files_of_a_run_are_private(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path / "runs"))
    trainer = FakeTrainer(run).begin().train(12)
    # While it is written, with its WAL and a reader's lock.
    with StepsReader(run.steps_path), RoleLock(run.path, "analyst"):
        DiskFullFlag(run.path)
        RequestsWriter(run.path, "test").add("pause", {})
        with open_log(run.path, "trainer", 10) as file:
            file.write(b"x" * 20)
        limit_log(run.path, "trainer", 10)
        learner, observer = make("lazy")
        save_checkpoint(run.checkpoints, 12, 1, learner, observer, {})
        assert len({path.suffix for path in run.path.rglob("*")}) > 5
        assert modes(tmp_path / "runs") == {0o600, 0o700}
    trainer.end()
    RunStore(tmp_path / "runs").trash(run)
    assert modes(tmp_path / "runs") == {0o600, 0o700}


def test_a_shared_folder_and_its_new_files_stay_shared(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir(mode=0o755)
    run = RunStore(runs).create(Recipe(), "a text")
    assert (mode(runs), mode(run.path), mode(run.source_path)) == (0o755, 0o700, 0o600)
    for path in (run.path, *run.path.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    RequestsWriter(run.path, "test").add("pause", {})
    RoleLock(run.path, "trainer").close()
    assert modes(run.path) == {0o755, 0o644}
    # Their owner's umask holds too.
    os.umask(0o077)
    RoleLock(run.path, "analyst").close()
    assert mode(run.path / "analyst.lock") == 0o600


def test_an_imported_run_is_private_and_an_export_is_not(tmp_path: Path) -> None:
    exported = export_run(record(tmp_path / "runs"), "zip", out=tmp_path / "a.zip")
    assert mode(exported) == 0o644
    import_zip(RunStore(tmp_path / "others"), exported, no_progress)
    assert modes(tmp_path / "others") == {0o600, 0o700}


def test_an_uploaded_text_is_private(tmp_path: Path) -> None:
    store_text(Uploads(tmp_path / ".uploads"), "a text of some words")
    assert modes(tmp_path / ".uploads") == {0o600, 0o700}


def test_tolerates_file_systems_without_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    (tmp_path / "a").touch()
    tmp_path.chmod(0o700)
    monkeypatch.setattr(Path, "chmod", refuse)
    restrict_like_folder(tmp_path / "a")
