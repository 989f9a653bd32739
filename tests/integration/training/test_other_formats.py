"""Runs of an older version work in every way; runs of a newer version are refused with a clear message."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest

import lamplighter
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import ExportError, no_progress
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.sqlite.database import FORMAT_VERSION
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.app import create_app
from lamplighter.serving.settings import ServerSettings
from lamplighter.training.worker import train
from lamplighter.wire.binary import FrameError
from tests.unit.serving.asgi import HOST, PORT, call

OLD = Path(__file__).parents[2] / "golden" / "run-format-1.zip"
"""A run of 30 steps, with all files, as the version before tiles wrote it."""
LAST = 30


@pytest.fixture
def old(tmp_path: Path) -> RunFolder:
    with zipfile.ZipFile(OLD) as packed:
        packed.extractall(tmp_path / "runs" / "old")
    return RunFolder(tmp_path / "runs" / "old")


def format_of(path: Path) -> int:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(str(connection.pragma("user_version")))
    finally:
        connection.close()


def contents(run: RunFolder) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in run.path.rglob("*")
        if path.suffix in (".sqlite", ".json", ".npy")
    }


def test_an_older_run_opens_and_is_left_as_it_is(old: RunFolder):
    assert format_of(old.steps_path) == 1 < FORMAT_VERSION
    before = contents(old)
    run = lamplighter.open(old.path)
    assert (run.status.phase, run.status.step, run.status.snapshots) == ("finished", LAST, "all")
    assert run.snapshot_steps().tolist() == list(range(LAST + 1))
    path = run.path(run.tokens[5])
    for step in (0, 9, 10, 17, LAST):
        np.testing.assert_array_equal(path.vectors[step], run.snapshot(step)[5])
    assert len(list(run.steps())) == LAST
    assert run.layout(LAST, method="linear") is not None
    assert contents(old) == before


@pytest.mark.anyio
async def test_an_older_run_is_shown_and_replayed(old: RunFolder):
    app = create_app(ServerSettings(old.path.parent, port=PORT, roles=()))
    (listed,) = (await call(app, "GET", "/api/runs", {"host": HOST})).json["items"]
    assert listed["readable"]
    assert listed["status"]["step"] == LAST
    for where in ("steps", "events", "measures", "snapshots", "snapshots/17?format=npy", "layouts", "tokens"):
        answer = await call(app, "GET", f"/api/runs/old/{where}", {"host": HOST})
        assert answer.status == 200, (where, answer.body)


@pytest.mark.parametrize("to", ["zip", "html", "csv", "safetensors", "parquet"])
def test_an_older_run_is_exported(old: RunFolder, tmp_path: Path, to: str):
    assert export_run(old, to, out=tmp_path / f"exported.{to}").stat().st_size > 0


def test_an_older_run_is_imported(old: RunFolder, tmp_path: Path):
    run, remarks = import_zip(RunStore(tmp_path / "other"), OLD, no_progress)
    assert remarks == ("its files were not checked for damage: the zip has no list of digests (SHA256SUMS)",)
    with MatrixHistory(run) as theirs, MatrixHistory(old) as ours:
        assert theirs.exact_steps().tolist() == list(range(LAST + 1))
        np.testing.assert_array_equal(theirs.snapshot(17).vectors, ours.snapshot(17).vectors)


def test_an_older_run_goes_on_and_is_of_this_format_then(old: RunFolder):
    with MatrixHistory(old) as history:
        before = [history.snapshot(step).vectors for step in (0, 12)]
    RequestsWriter(old.path, "test").add("continue", {"steps": 10})
    assert train(old) == "finished"
    assert read_status(old).step == LAST + 10
    assert format_of(old.steps_path) == FORMAT_VERSION
    with MatrixHistory(old) as history:
        assert history.exact_steps().tolist() == list(range(LAST + 11))
        for step, vectors in zip((0, 12), before, strict=True):
            np.testing.assert_array_equal(history.snapshot(step).vectors, vectors)


@pytest.fixture
def newer(old: RunFolder) -> RunFolder:
    """Make a copy of the old run with the version numbers of a later format."""
    path = old.path.parent / "newer"
    shutil.copytree(old.path, path)
    run = RunFolder(path)
    for file in (run.steps_path, run.layouts_path, run.measures_path):
        connection = apsw.Connection(str(file))
        connection.execute(f"PRAGMA user_version={FORMAT_VERSION + 1}")
        connection.close()
    return run


SAYS = f"has format {FORMAT_VERSION + 1}; this version reads up to {FORMAT_VERSION}: update Lamplighter"


@pytest.mark.anyio
async def test_a_newer_run_is_listed_with_the_reason_and_the_others_work(newer: RunFolder):
    app = create_app(ServerSettings(newer.path.parent, port=PORT, roles=()))
    listed = {run["id"]: run for run in (await call(app, "GET", "/api/runs", {"host": HOST})).json["items"]}
    assert listed["old"]["readable"]
    assert not listed["newer"]["readable"]
    assert SAYS in listed["newer"]["problem"]
    assert (await call(app, "GET", "/api/runs/old/snapshots/3?format=npy", {"host": HOST})).status == 200
    refused = await call(app, "GET", "/api/runs/newer/steps", {"host": HOST})
    assert refused.status in (409, 422, 500, 503)
    assert SAYS in refused.json["detail"]


def test_a_newer_run_is_refused_from_python_and_never_written_to(newer: RunFolder):
    before = contents(newer)
    with pytest.raises((FormatError, lamplighter.InputError), match="update Lamplighter"):
        _ = lamplighter.open(newer.path).status
    opens: list[Callable[[], object]] = [
        lambda: StepsReader(newer.steps_path),
        lambda: StepsWriter(newer.steps_path),
        lambda: LayoutsWriter(newer.layouts_path),
        lambda: MeasuresWriter(newer.measures_path),
        lambda: train(newer),
    ]
    for opening in opens:
        with pytest.raises(FormatError, match="update Lamplighter"):
            opening()
    assert contents(newer) == before


@pytest.mark.parametrize(
    "words", [["export", "newer", "--to", "csv"], ["train", "--resume", "newer"], ["project", "newer"]]
)
def test_a_newer_run_is_refused_on_the_command_line(newer: RunFolder, words: list[str], tmp_path: Path):
    command = [sys.executable, "-m", "lamplighter", "--runs", str(newer.path.parent), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert done.returncode != 0
    assert SAYS in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_newer_run_stands_in_the_list_on_the_command_line(newer: RunFolder):
    command = [sys.executable, "-m", "lamplighter", "--runs", str(newer.path.parent), "runs"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "unreadable" in lines["newer"]
    assert SAYS in lines["newer"]
    assert "finished" in lines["old"]


def test_a_newer_run_is_not_imported(newer: RunFolder, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "newer.zip", "w") as packed:
        for path in newer.path.rglob("*"):
            if path.is_file():
                packed.write(path, path.relative_to(newer.path))
    with pytest.raises((ExportError, FrameError), match="format"):
        import_zip(RunStore(tmp_path / "other"), tmp_path / "newer.zip", no_progress)
    assert list((tmp_path / "other").iterdir()) == []


def test_a_newer_recipe_is_refused(old: RunFolder):
    path = old.path / "recipe.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(FormatError, match="newer version: update Lamplighter"):
        _ = RunFolder(old.path).recipe
