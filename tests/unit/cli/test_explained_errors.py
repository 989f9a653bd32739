"""Disks that cannot be written to: one line that says what to do."""

from __future__ import annotations

import errno
import importlib
import json
import os
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from lamplighter.cli import app
from lamplighter.cli.app import TOLD, cli, main
from lamplighter.runfolder import preparation
from lamplighter.runfolder.errors import ReadOnlyFolderError
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT, call
from tests.support.synthetic_runs.recorded import record


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Make a run on a file system that is read-only, also for root."""
    made = record(tmp_path / "runs")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    return made


def test_a_run_that_cannot_be_written_to_is_refused_before_it_is_opened(run: RunFolder):
    before = sorted(run.path.iterdir())
    with pytest.raises(ReadOnlyFolderError, match=f"{run.id} cannot be written to: .* copy it"):
        MeasuresWriter(run.measures_path)
    with pytest.raises(ReadOnlyFolderError, match="cannot be written to"):
        RoleLock(run.path, "analyst")
    assert sorted(run.path.iterdir()) == before


async def test_a_server_gives_the_reason(run: RunFolder):
    server = create_app(ServerSettings(run.path.parent, port=PORT, roles=()))
    token = (run.path.parent / ".presenter-token").read_text().strip()
    headers = {
        "host": f"127.0.0.1:{PORT}",
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
    }
    answer = await call(
        server,
        "POST",
        f"/api/runs/{run.id}/requests",
        headers,
        json.dumps({"kind": "map", "neighbours": 5}).encode(),
    )
    assert (answer.status, answer.json.get("code")) == (409, "folder_read_only"), answer.body


def test_a_folder_of_runs_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(folder: Path, **_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))

    monkeypatch.setattr(preparation, "make_private_folder", refuse)
    (tmp_path / "text.txt").write_text("the cat sees the dog . " * 200)
    words = [
        "--runs",
        str(tmp_path / "runs"),
        "train",
        "--steps",
        "1",
        "--corpus",
        str(tmp_path / "text.txt"),
    ]
    error = CliRunner().invoke(cli, words).exception
    assert isinstance(error, OSError)
    assert error.filename == str(tmp_path / "runs")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.EROFS, "Read-only file system", "/x/runs"),
            "/x/runs: Read-only file system; name a folder that can be",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "the disk is full: make room on it, then give the command again",
        ),
        (
            apsw.FullError("database or disk is full"),
            "the disk is full: make room on it, then give the command again",
        ),
        (OSError(errno.EISDIR, "Is a directory", "/x"), "/x: Is a directory\n"),
    ],
)
def test_the_command_line_says_what_to_do(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(app.cli, "main", fail)
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.startswith(f"lamplighter: {said}")


@pytest.mark.parametrize("told", sorted(TOLD))
def test_an_error_whose_message_is_the_line_to_print(
    told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    module, _, name = told.partition(":")
    known: type[Exception] = getattr(importlib.import_module(module), name)

    class NarrowerError(known):
        def __init__(self) -> None:
            """Take no arguments."""

        def __str__(self) -> str:
            return "do this"

    def fail(**_: object) -> None:
        raise NarrowerError

    monkeypatch.setattr(app.cli, "main", fail)
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == "lamplighter: do this\n"
