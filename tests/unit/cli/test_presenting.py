"""The command line's part in presenting: how the browser is opened, and the list of those that present."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lamplighter.cli import serve
from lamplighter.cli.app import cli
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.servers import server
from lamplighter.web.access import launch_file
from lamplighter.web.access.session_store import open_sessions
from tests.support.folders import make_run

URL = "http://127.0.0.1:8600"
LINK = f"{URL}/launch?code=secret-code"


def opened(
    monkeypatch: pytest.MonkeyPatch, runs: Path, file: Path | None, *words: str, link: str = LINK
) -> str:
    """Return what a command, by default `lamplighter serve`, gives the browser."""
    given: list[str] = []
    done = threading.Event()

    def open_in_browser(address: str) -> None:
        given.append(address)
        done.set()

    def run_server(_: object, on_ready: Any) -> None:
        on_ready(
            server.ServerInfo(
                url=f"{URL}/",
                launch_url=LINK,
                port=8600,
                requested_port=8600,
                token="token",
                most_connections=100,
                write_launch_file=lambda _: file,
                class_join=None,
            )
        )
        assert done.wait(10)

    monkeypatch.setattr(serve.webbrowser, "open", open_in_browser)
    monkeypatch.setattr(server, "run_server", run_server)
    result = CliRunner().invoke(cli, ["--runs", str(runs), *(words or ("serve",))])
    assert result.exit_code == 0, result.output
    assert f"{link}\n" in result.output
    (address,) = given
    return address


def test_the_code_is_not_on_the_browsers_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launch_file.platform, "release", lambda: "6.8.0-generic")
    file = tmp_path / "lamplighter-launch-0000.html"
    assert opened(monkeypatch, tmp_path, file) == file.as_uri()


@pytest.mark.parametrize(
    ("release", "written"), [("5.15.167.4-microsoft-standard-WSL2", True), ("6.8.0", False)]
)
def test_a_browser_that_cannot_read_the_file_is_given_the_link(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: str, written: bool
) -> None:
    monkeypatch.setattr(launch_file.platform, "release", lambda: release)
    assert opened(monkeypatch, tmp_path, tmp_path / "x.html" if written else None) == LINK


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(RunStore(tmp_path / "runs"), prepared=False)


def test_a_run_is_opened_by_a_server_of_its_own(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        link = f"{LINK}&run={run.id}"
        words = ("runs", "open", run.id, "--port", port)
        assert opened(monkeypatch, run.path.parent, None, *words, link=link) == link


@pytest.mark.parametrize("before", [0, 1], ids=["where it was looked for", "at the next port"])
def test_a_run_is_opened_where_a_server_has_it(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            created = (run.path / "recipe.json").stat().st_mtime
            self.wfile.write(json.dumps({"id": run.id, "created": created}).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    given: list[str] = []
    monkeypatch.setattr("webbrowser.open", given.append)
    with HTTPServer(("127.0.0.1", 0), Answering) as listening:
        threading.Thread(target=listening.handle_request, daemon=True).start()
        port = listening.server_port
        words = ["--runs", str(run.path.parent), "runs", "open", run.id, "--port", str(port - before)]
        told = CliRunner().invoke(cli, words)
    address = f"http://127.0.0.1:{port}/?run={run.id}"
    assert (told.exit_code, told.output, given) == (0, f"{run.id} is at {address}\n", [address])


def test_browsers_that_present_are_listed_and_ended(tmp_path: Path) -> None:
    def say(*words: str) -> str:
        result = CliRunner().invoke(cli, ["sessions", "--runs", str(tmp_path), *words])
        assert result.exit_code == 0, result.output
        return result.output

    assert "no browser presents" in say()
    store = open_sessions(tmp_path)
    first, given = store.begin_session(URL, "Firefox/145.0 (Linux)")
    for _ in range(2):
        store.begin_session(URL, "")
    listed = say()
    assert f"{first.id}  Firefox on Linux  at {URL}" in listed
    assert given.cookie not in listed
    assert "ended: 1" in say("--end", first.id)
    store.reload()
    assert not store.find_session(given.cookie, URL)
    assert "ended: 2" in say("--end-all")
    assert store.list_sessions() == []


def test_an_unknown_session_ends_none(tmp_path: Path) -> None:
    store = open_sessions(tmp_path)
    session, _ = store.begin_session(URL, "")
    for words in (["--end", "../x"], ["--end", session.id, "--end", "0" * 16]):
        result = CliRunner().invoke(cli, ["sessions", "--runs", str(tmp_path), *words])
        assert result.exit_code == 2
        assert "there is no session" in result.output
    assert len(store.list_sessions()) == 1
