"""The commands `export` and `import` on the run of a real trainer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import no_progress
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter
from tests.support.runs import finish, make_run, start_worker, wait_for_step


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    made = make_run(tmp_path_factory.mktemp("runs"), steps=40)
    finish(start_worker(made))
    return made


def lamplighter(runs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lamplighter", "--runs", str(runs), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_an_exported_run_is_imported_and_continued(run: RunFolder, tmp_path: Path) -> None:
    packed = tmp_path / "run.zip"
    said = lamplighter(run.path.parent, "export", run.id, "--to", "zip", "--out", str(packed))
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith(f"{packed}: ")
    assert " MB" in said.stdout
    said = lamplighter(tmp_path / "other", "import", str(packed))
    assert said.returncode == 0, said.stderr
    (back,) = RunStore(tmp_path / "other").runs()
    assert said.stdout.startswith(back.id)
    # The import includes the checkpoint, so training continues without recomputing earlier steps.
    RequestsWriter(back.path, "cli").add("continue", {"steps": 5})
    finish(start_worker(back))
    status = read_status(back)
    assert (status.phase, status.step, status.attempt) == ("finished", 45, 1)


def test_exports_a_live_run_completely(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", steps=100_000)
    worker = start_worker(run)
    try:
        wait_for_step(run, 40)
        packed = export_run(run, "zip", out=tmp_path / "run.zip")
        matrix = export_run(run, "npy", 30, tmp_path / "run.npy")
    finally:
        worker.terminate()
        worker.communicate(timeout=30)
    back, remarks = import_zip(RunStore(tmp_path / "other"), packed, no_progress)
    assert "running" in remarks[-1]
    status = read_status(back)
    assert (status.phase, status.alive) == ("interrupted", False)
    assert status.step >= 40
    with MatrixHistory(back) as history:
        assert (np.load(matrix) == history.snapshot(30).vectors).all()
        assert len(history.steps.pulses(1, status.step, status.step)) == status.step


@pytest.mark.tour
def test_errors_are_one_line(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_text("hello")
    for words, reason in (
        (("export", run.id, "--to", "html", "--out", str(tmp_path / "a.html")), "lamplighter project"),
        (
            ("export", run.id, "--to", "npy", "--step", "99", "--out", str(tmp_path / "a.npy")),
            "its last is 40",
        ),
        (("export", "nobody", "--to", "csv"), "there is no run"),
        (("import", str(tmp_path / "no.zip")), "not a zip"),
        (("import", str(tmp_path / "nothing.zip")), "no file"),
    ):
        said = lamplighter(run.path.parent, *words)
        assert said.returncode == 1
        assert said.stdout == ""
        assert said.stderr.strip().startswith("lamplighter: ")
        assert len(said.stderr.strip().splitlines()) == 1
        assert reason in said.stderr
