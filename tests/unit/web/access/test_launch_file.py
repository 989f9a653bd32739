"""The file that opens the browser: private, where browsers can read it, gone once its code is spent."""

from __future__ import annotations

import os
import re
import socket
import stat
import time
from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.serving.apps.app import create_app
from lamplighter.web.access.first_launch import FirstLaunch
from lamplighter.web.access.launch_file import launch_folders, write_launch_file
from lamplighter.web.connections.listening_socket import hold_own_name
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import HOST, ORIGIN, PORT, call

FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "cross-site"}
FROM_FILE = {
    "host": HOST,
    "origin": "null",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    **FORM,
}


def code_in(file: Path) -> str:
    (code,) = re.findall(r'name="code" value="([^"]+)"', file.read_text(encoding="utf-8"))
    return code


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the files out of the real home folder."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture
def first(app: FastAPI, tmp_path: Path) -> FirstLaunch:
    return FirstLaunch(app.state.services.gate, tmp_path)


async def test_the_file_posts_the_code_of_the_link_and_is_gone_then(app: FastAPI, first: FirstLaunch) -> None:
    file = first.write_file()
    assert file is not None
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code = code_in(file)
    assert first.url.endswith(code)
    assert code not in file.as_uri()
    assert f'action="{ORIGIN}/launch"' in file.read_text()
    answer = await call(app, "POST", "/launch", FROM_FILE, f"code={code}".encode())
    assert (answer.status, len(answer.cookies)) == (200, 1)
    assert not file.exists()
    assert (await call(app, "GET", first.url.removeprefix(ORIGIN))).status == 403
    assert first.write_file() is None


async def test_the_file_opens_the_page_on_a_run(app: FastAPI, first: FirstLaunch) -> None:
    file = first.write_file("my-run")
    assert file is not None
    assert f'action="{ORIGIN}/launch?run=my-run"' in file.read_text()
    answer = await call(app, "POST", "/launch?run=my-run", FROM_FILE, f"code={code_in(file)}".encode())
    assert (answer.status, len(answer.cookies)) == (200, 1)


async def test_the_link_spends_the_file_too(app: FastAPI, first: FirstLaunch) -> None:
    file = first.write_file()
    assert file is not None
    assert (await call(app, "GET", first.url.removeprefix(ORIGIN))).status == 200
    assert not file.exists()


def test_the_file_goes_with_the_server(app: FastAPI, first: FirstLaunch) -> None:
    file = first.write_file()
    assert file is not None
    app.state.services.gate.credentials.codes.spend_all()
    assert not file.exists()


async def test_a_page_without_an_origin_reaches_nothing_else(app: FastAPI, bearer: dict[str, str]) -> None:
    code = app.state.services.gate.credentials.codes.issue_code()
    body = f"code={code}".encode()
    for wrong in (b"", b"code=", b"code=guess", b"code=%FF%00", b"&" * 900, code.encode()):
        assert (await call(app, "POST", "/launch", FROM_FILE, wrong)).status == 403
    assert (await call(app, "POST", "/launch", FROM_FILE, b"x" * 5_000)).status == 413
    for method, path in (("GET", f"/launch?code={code}"), ("POST", "/api/launches"), ("POST", "/launch/"), ("GET", "/api/session"),
                         ("PUT", "/launch"), ("GET", "/")):  # fmt: skip
        assert (await call(app, method, path, {**FROM_FILE, **bearer}, body)).status == 403, (method, path)
    for origin in ("http://evil.example", "file://", f"http://localhost:{PORT}", "NULL", "null null"):
        assert (await call(app, "POST", "/launch", {**FROM_FILE, "origin": origin}, body)).status == 403, (
            origin
        )
    assert (await call(app, "POST", "/launch", {**FROM_FILE, "host": "evil.example"}, body)).status == 403
    assert (await call(app, "POST", "/launch", FROM_FILE, body)).status == 200


async def test_a_probe_with_the_code_does_not_spend_it(
    app: FastAPI,
) -> None:
    code = app.state.services.gate.credentials.codes.issue_code()
    asked = f"code={code}&probe=1".encode()
    for _ in range(2):
        answer = await call(app, "POST", "/launch", FROM_FILE, asked)
        assert (answer.status, answer.headers["access-control-allow-origin"], answer.cookies) == (
            204,
            "null",
            [],
        )
    refused = await call(app, "POST", "/launch", FROM_FILE, b"code=guess&probe=1")
    assert refused.status == 403
    assert "access-control-allow-origin" not in refused.headers


def test_it_tries_the_servers_own_name_first(tmp_path: Path) -> None:
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), own_name=True))
    file = FirstLaunch(app.state.services.gate, tmp_path).write_file()
    assert file is not None
    page = file.read_text(encoding="utf-8")
    assert f'const own = "http://lamplighter.localhost:{PORT}/launch"' in page
    assert f'action="{ORIGIN}/launch"' in page


def test_it_lies_where_a_confined_browser_can_read(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", launch_folders(tmp_path, None)[-1]
    for runs, wanted in (
        (home / "lessons" / "runs", [home / "lessons" / "runs", home]),
        (home / ".cache" / "runs", [home, home / ".cache" / "runs"]),
        (home / "snap" / "runs", [home, home / "snap" / "runs"]),
        (tmp_path / "srv" / "runs", [home, tmp_path / "srv" / "runs"]),
    ):
        assert launch_folders(runs, home) == [*wanted, temporary]


def test_it_lies_elsewhere_if_a_folder_cannot_be_written_and_clears_what_was_left(tmp_path: Path) -> None:
    for name, age in (
        ("lamplighter-launch-0000.html", 10_000),
        ("lamplighter-launch-1111.html", 1),
        ("mine.html", 10_000),
    ):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, time.time() - age))
    file = write_launch_file([tmp_path / "missing", tmp_path], "code", "http://x/launch", None)
    assert file is not None
    assert file.parent == tmp_path
    kept = {path.name for path in tmp_path.iterdir()} - {file.name}
    assert kept == {"lamplighter-launch-1111.html", "mine.html"}
    assert write_launch_file([tmp_path / "missing"], "code", "http://x/launch", None) is None


def test_the_own_name_is_used_only_while_its_other_address_is_held(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        settings = ServerSettings(tmp_path, port=port)
        with hold_own_name(settings, port) as held:
            assert held.own_name
            with hold_own_name(settings, port) as second:
                # Without IPv6, no program can take the other address.
                assert second.own_name is (not socket.has_ipv6 or not can_bind_ipv6())
        for other in (
            {"host": "127.0.0.2"},
            {"behind": "https://lamps.example"},
            {"host": "0.0.0.0", "behind": "localhost:1"},
        ):
            with hold_own_name(ServerSettings(tmp_path, port=port, **other), port) as unheld:
                assert not unheld.own_name


def can_bind_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
