from __future__ import annotations

import errno
import os
import re
import stat
import threading
from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.serving.apps.app import create_app
from lamplighter.web.access import credentials, launch_file
from lamplighter.web.access.credentials import TOKEN_FILE, open_credentials
from lamplighter.web.access.session_store import SESSIONS_FOLDER
from lamplighter.web.connections import listening_socket
from lamplighter.web.connections.listening_socket import ListeningSocket
from lamplighter.web.settings import ServerSettings, SettingsError
from tests.support.asgi import HOST, ORIGIN, PORT, call, launch


async def test_a_launch_link_makes_one_browser_the_presenters(app: FastAPI) -> None:
    link = app.state.services.gate.issue_launch_url()
    assert link.startswith(f"{ORIGIN}/launch?code=")
    answer, page = await launch(app, link.removeprefix(ORIGIN))
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    cookie = answer.cookies[0]
    assert cookie.startswith(f"lamplighter-{PORT}=")
    for part in ("HttpOnly", "Path=/", "SameSite=strict"):
        assert part in cookie
    session = await call(app, "GET", "/api/session", page)
    assert session.json["presenter"] is True
    made = await call(app, "POST", "/api/launches", {**page, "origin": ORIGIN})
    assert made.status == 201
    again = await call(app, "GET", made.json["url"].removeprefix(ORIGIN))
    assert again.status == 200
    assert again.cookies[0] != cookie


async def test_the_script_that_keeps_the_key_is_the_servers_own(app: FastAPI) -> None:
    answer, _ = await launch(app, app.state.services.gate.issue_launch_url().removeprefix(ORIGIN))
    (script,) = re.findall(r'<script src="([^"]+)" defer></script>', answer.body.decode())
    served = await call(app, "GET", f"/{script}")
    assert (served.status, served.headers["content-type"].partition(";")[0]) == (200, "text/javascript")


async def test_a_launch_link_works_once(app: FastAPI) -> None:
    link = app.state.services.gate.issue_launch_url().removeprefix(ORIGIN)
    other = app.state.services.gate.issue_launch_url().removeprefix(ORIGIN)
    assert (await call(app, "GET", link)).status == 200
    second = await call(app, "GET", link)
    assert (second.status, second.cookies) == (403, [])
    assert (await call(app, "GET", other)).status == 200


async def test_a_launch_link_grows_old(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    link = app.state.services.gate.issue_launch_url().removeprefix(ORIGIN)
    soon = launch_file.time.monotonic() + launch_file.CODE_SECONDS + 1
    monkeypatch.setattr(launch_file.time, "monotonic", lambda: soon)
    assert (await call(app, "GET", link)).status == 403


def test_codes_are_bounded() -> None:
    found = launch_file.LaunchCodes()
    codes = [found.issue_code() for _ in range(1_100)]
    assert not found.redeem_code(codes[0])
    assert found.redeem_code(codes[-1])
    assert not found.redeem_code("")
    assert not found.redeem_code("ü\udc80")


def test_the_token_is_for_its_user_only_and_stays(tmp_path: Path) -> None:
    first = open_credentials(tmp_path)
    facts = (tmp_path / TOKEN_FILE).stat()
    assert stat.S_IMODE(facts.st_mode) == 0o600
    assert open_credentials(tmp_path).token == first.token
    assert sorted(path.name for path in tmp_path.iterdir()) == [SESSIONS_FOLDER, TOKEN_FILE]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_token_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    first = open_credentials(tmp_path)
    (tmp_path / TOKEN_FILE).chmod(0o644)
    assert open_credentials(tmp_path).token != first.token
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("x" * 43)
    (tmp_path / TOKEN_FILE).unlink()
    (tmp_path / TOKEN_FILE).symlink_to(elsewhere)
    assert open_credentials(tmp_path).token != "x" * 43
    (tmp_path / TOKEN_FILE).write_text("short")
    assert len(open_credentials(tmp_path).token) > 40


@pytest.mark.skipif(os.name != "posix", reason="users are POSIX")
def test_the_token_of_another_user_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_credentials(tmp_path)
    ours = os.getuid()
    monkeypatch.setattr(credentials.os, "getuid", lambda: ours + 1)
    second = open_credentials(tmp_path)
    assert second.token != first.token
    assert (first.persistent, second.persistent) == (True, False)
    monkeypatch.undo()
    assert open_credentials(tmp_path).token == first.token


def test_a_token_file_error_is_one_line(tmp_path: Path) -> None:
    (tmp_path / TOKEN_FILE).mkdir(mode=0o700)
    (tmp_path / TOKEN_FILE / "in the way").touch()
    with pytest.raises(SettingsError) as caught:
        open_credentials(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_servers_that_start_at_once_agree_on_the_token(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(open_credentials(tmp_path).token)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"host": "0.0.0.0"}, "--behind"),
        ({"host": "192.168.1.5"}, "--behind"),
        ({"host": "::"}, "--behind"),
        ({"host": "0.0.0.0", "behind": "http://x/path"}, "https"),
        ({"behind": "https://x/a path"}, "not a valid path"),
        ({"behind": "https://x/.."}, "not a valid path"),
        ({"behind": "https://x/a?b"}, "not a valid path"),
        ({"behind": "https://u@x/a"}, "HOST:PORT"),
        ({"host": "0.0.0.0", "behind": "*"}, "HOST:PORT"),
        ({"host": "0.0.0.0", "behind": "lamps.example:8600"}, "https://lamps.example:8600"),
        ({"host": "0.0.0.0", "behind": "http://10.0.0.7:8600"}, "https"),
        ({"behind": "lamps.example"}, "https"),
        ({"port": 70_000}, "port"),
        ({"roles": ("painter",)}, "painter"),
        ({"max_trainers": 0}, "max_trainers"),
    ],
)
def test_refuses_unsafe_settings(tmp_path: Path, settings: dict[str, object], word: str) -> None:
    with pytest.raises(SettingsError, match=word) as caught:
        create_app(ServerSettings(tmp_path, **settings))  # pyright: ignore[reportArgumentType]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("behind", ["localhost:8600", "127.0.0.1:9000", "[::1]:80", "https://lamps.example"])
def test_names_that_give_no_credential_away(tmp_path: Path, behind: str) -> None:
    ServerSettings(tmp_path, host="0.0.0.0", behind=behind).check()


async def test_behind_a_name_the_cookie_reads_and_the_name_is_the_only_one_more(tmp_path: Path) -> None:
    app = create_app(ServerSettings(tmp_path, host="0.0.0.0", behind="https://lamps.example", roles=()))
    gate = app.state.services.gate
    assert gate.issue_launch_url().startswith("https://lamps.example/launch?code=")
    at = {"host": "lamps.example"}
    answer, page = await launch(
        app, gate.issue_launch_url().removeprefix("https://lamps.example"), at, peer="10.0.0.1"
    )
    assert "Secure" in answer.cookies[0]
    pair = page["cookie"]
    assert pair.startswith("__Host-lamplighter-443=")
    assert "wss://lamps.example" in answer.headers["content-security-policy"]
    assert (await call(app, "GET", "/api/runs", at, peer="10.0.0.1")).status == 401
    assert (await call(app, "GET", "/api/runs", {**at, "cookie": pair}, peer="10.0.0.1")).status == 200
    assert (await call(app, "GET", "/healthz", {"host": "lamps.example:8600"}, peer="10.0.0.1")).status == 403
    assert (await call(app, "GET", "/healthz", {"host": HOST}, peer="127.0.0.1")).status == 200
    http = {**page, "origin": "http://lamps.example"}
    assert (await call(app, "POST", "/api/launches", http, peer="10.0.0.1")).status == 403
    https = {**page, "origin": "https://lamps.example"}
    assert (await call(app, "POST", "/api/launches", https, peer="10.0.0.1")).status == 201


def test_a_port_that_needs_privileges_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden(ListeningSocket):
        def bind(self, address: object, /) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(listening_socket, "ListeningSocket", Forbidden)
    monkeypatch.setattr(listening_socket.sys, "platform", "linux")
    with pytest.raises(SettingsError, match="port: 80 needs privileges"):
        listening_socket.open_listener("127.0.0.1", 80)
