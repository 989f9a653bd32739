"""Runs of another format are rejected with a clear message, and left unchanged."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

import lamplighter
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.output import ExportError, no_progress
from lamplighter.runfolder import remote_files
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.run_checks import RunChecks
from lamplighter.runfolder.importing.untrusted_sqlite import UntrustedFile
from lamplighter.runfolder.remote_files import RemoteFile
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.sqlite.database import FORMAT_VERSION
from lamplighter.runfolder.tables import steps
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.measures import MeasuresReader, MeasuresWriter
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.finalise import compact_run, seal_role_files
from lamplighter.serving.apps.app import create_app
from lamplighter.training.worker import train
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.binary import FrameError
from tests.support.asgi import HOST, PORT, call

RUNS = Path(__file__).parents[2] / "golden" / "runs-format-2.zip"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Make a run of the current format with all its files."""
    with zipfile.ZipFile(RUNS) as packed:
        packed.extractall(tmp_path / "runs")
    shutil.rmtree(tmp_path / "runs" / "recorded")
    return RunFolder(tmp_path / "runs" / "trained")


def write_version(path: Path, version: int) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA user_version={version}")
    connection.close()


def read_version(path: Path) -> int:
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


def test_a_file_has_the_number_of_what_was_written_into_it(run: RunFolder):
    files = [run.steps_path, run.layouts_path, run.measures_path]
    for file in files:
        write_version(file, 1)
    before = contents(run)
    for reader in (StepsReader(files[0]), LayoutsReader(files[1]), MeasuresReader(files[2])):
        reader.close()
    for role in ("trainer", "projector", "analyst"):
        assert seal_role_files(run, role)
    assert contents(run) == before
    assert compact_run(run)
    for writer in (LayoutsWriter(files[1]), MeasuresWriter(files[2])):
        writer.close(sealed=True)
    # What completes the map and the measures of a shown run writes as version 2 did, which can still continue it.
    assert [read_version(file) for file in files] == [2, 2, 2]
    StepsWriter(files[0]).close(sealed=True)
    assert read_version(files[0]) == FORMAT_VERSION
    # A trainer of version 2 that is at work while its server is updated can be stopped.
    RequestsWriter(run.path, "tests").add("stop", {})
    assert read_version(run.path / "requests-tests.sqlite") == 2


@pytest.fixture
def newer(run: RunFolder) -> RunFolder:
    """Make a copy of the run with the version numbers of a later format."""
    path = run.path.parent / "newer"
    shutil.copytree(run.path, path)
    copy = RunFolder(path)
    for file in (copy.steps_path, copy.layouts_path, copy.measures_path):
        write_version(file, FORMAT_VERSION + 1)
    return copy


SAYS = f"has format {FORMAT_VERSION + 1}; this version reads up to {FORMAT_VERSION}: update Lamplighter"


@pytest.mark.anyio
async def test_lists_a_newer_run_with_the_reason(newer: RunFolder):
    app = create_app(ServerSettings(newer.path.parent, port=PORT, roles=()))
    listed = {run["id"]: run for run in (await call(app, "GET", "/api/runs", {"host": HOST})).json["items"]}
    assert listed["trained"]["readable"]
    assert not listed["newer"]["readable"]
    assert SAYS in listed["newer"]["problem"]
    assert (await call(app, "GET", "/api/runs/trained/snapshots/3?format=npy", {"host": HOST})).status == 200
    refused = await call(app, "GET", "/api/runs/newer/steps", {"host": HOST})
    assert refused.status in (409, 422, 500, 503)
    assert SAYS in refused.json["detail"]


def test_python_rejects_a_newer_run_without_writing(newer: RunFolder):
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
def test_the_command_line_rejects_a_newer_run(newer: RunFolder, words: list[str], tmp_path: Path):
    command = [sys.executable, "-m", "lamplighter", "--runs", str(newer.path.parent), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert done.returncode != 0
    assert SAYS in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_command_line_lists_a_newer_run(newer: RunFolder):
    command = [sys.executable, "-m", "lamplighter", "--runs", str(newer.path.parent), "runs"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "unreadable" in lines["newer"]
    assert SAYS in lines["newer"]
    assert "finished" in lines["trained"]


def test_does_not_import_a_newer_run(newer: RunFolder, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "newer.zip", "w") as packed:
        for path in newer.path.rglob("*"):
            if path.is_file():
                packed.write(path, path.relative_to(newer.path))
    with pytest.raises((ExportError, FrameError), match="format"):
        import_zip(RunStore(tmp_path / "other"), tmp_path / "newer.zip", no_progress)
    assert list((tmp_path / "other").iterdir()) == []


class PublishedFile(RemoteFile):
    """A file that lies elsewhere."""

    schema = steps.SCHEMA

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def byte_count(self) -> int:
        return len(self._content)

    def read_at(self, offset: int, count: int) -> bytes:
        return self._content[offset : offset + count]

    def fetch_to(self, path: Path) -> None:
        path.write_bytes(self._content)

    def give_up(self) -> None:
        pass


def test_a_newer_published_run_and_a_newer_fragment_say_so(newer: RunFolder):
    content = newer.steps_path.read_bytes()
    with pytest.raises(FormatError, match=f"the fragment {SAYS}"):
        UntrustedFile(content, steps.SCHEMA, RunChecks(40, 4, None, lambda: None))
    remote_files.register(newer.steps_path, PublishedFile(content))
    try:
        with pytest.raises(FormatError, match=SAYS):
            StepsReader(newer.steps_path)
    finally:
        remote_files.unregister_below(newer.path)


def test_rejects_a_newer_recipe(run: RunFolder):
    path = run.path / "recipe.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 9'))
    with pytest.raises(FormatError, match="newer version: update Lamplighter"):
        _ = RunFolder(run.path).recipe
