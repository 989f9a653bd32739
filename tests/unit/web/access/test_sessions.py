"""The presenter's sessions: random, bounded, listed, ended everywhere, and no secret of theirs on the disk or in the log."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.serving.apps.app import create_app
from lamplighter.web.access import session_store
from lamplighter.web.access.gate_middleware import with_session
from lamplighter.web.access.session_store import (
    LONGEST_SECONDS,
    MAX_SESSIONS,
    SESSIONS_FOLDER,
    UNUSED_SECONDS,
    SessionStore,
    browser_words,
    open_sessions,
)
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import HOST, ORIGIN, PORT, call, launch

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


async def open_browser(app: FastAPI, agent: str = FIREFOX) -> dict[str, str]:
    """Open a launch link. Returns the headers with which the page changes something."""
    link = app.state.services.gate.issue_launch_url().removeprefix(ORIGIN)
    _, page = await launch(app, link, {"host": HOST, "user-agent": agent})
    return {**page, "origin": ORIGIN}


async def may_present(app: FastAPI, page: dict[str, str]) -> bool:
    return (await call(app, "POST", "/api/launches", page)).status == 201


async def test_every_browser_has_a_separate_session(app: FastAPI) -> None:
    first, second = await open_browser(app), await open_browser(app, "<b>Chrome/143 (Windows)</b>")
    assert first["cookie"] != second["cookie"]
    listed = (await call(app, "GET", "/api/sessions", first)).json["items"]
    assert {(one["browser"], one["current"]) for one in listed} == {
        ("Firefox on Linux", True),
        ("Chrome on Windows", False),
    }
    secrets = {
        value.partition("=")[2] or value
        for page in (first, second)
        for value in (page["cookie"], page["Lamplighter-Key"])
    }
    assert not any(secret in str(listed) for secret in secrets)
    (other,) = [one["id"] for one in listed if not one["current"]]
    assert (await call(app, "DELETE", f"/api/sessions/{other}", first)).status == 204
    assert not await may_present(app, second)
    assert await may_present(app, first)
    assert (await call(app, "DELETE", f"/api/sessions/{other}", first)).status == 404
    own = listed[0]["id"] if listed[0]["current"] else listed[1]["id"]
    answer = await call(app, "DELETE", f"/api/sessions/{own}", first)
    assert "Max-Age=0" in answer.cookies[0]
    assert not await may_present(app, first)


async def test_a_received_cookie_allows_no_change(app: FastAPI) -> None:
    """A program on another port of the same host is sent the cookie, and the words of the browser: not the key."""
    page = await open_browser(app)
    assert await may_present(app, page)
    del page["Lamplighter-Key"]
    assert not await may_present(app, page)
    assert (await call(app, "GET", "/api/sessions", page)).status == 401
    assert (await call(app, "GET", "/api/session", page)).json["presenter"] is False


async def test_a_session_survives_a_restart_and_is_ended_on_every_server(tmp_path: Path) -> None:
    first = create_app(ServerSettings(tmp_path, port=PORT, roles=()))
    page = await open_browser(first)
    second = create_app(ServerSettings(tmp_path, port=PORT, roles=()))
    assert await may_present(second, page)
    (session,) = open_sessions(tmp_path).list_sessions()
    assert open_sessions(tmp_path).end_session(session.id)
    assert not await may_present(first, page)
    assert not await may_present(second, page)


async def test_a_session_is_of_one_address(tmp_path: Path) -> None:
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), own_name=True))
    page = await open_browser(app)
    name = f"lamplighter.localhost:{PORT}"
    assert await may_present(app, page)
    assert not await may_present(app, {**page, "host": name, "origin": f"http://{name}"})
    neighbour = create_app(ServerSettings(tmp_path, port=PORT + 1, roles=()))
    cookie = page["cookie"].replace(str(PORT), str(PORT + 1))
    at = f"127.0.0.1:{PORT + 1}"
    assert not await may_present(neighbour, {**page, "cookie": cookie, "host": at, "origin": f"http://{at}"})


def test_no_secret_is_on_the_disk_or_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = open_sessions(tmp_path)
    session, given = store.begin_session(ORIGIN, FIREFOX)
    kept = "".join(path.read_text() for path in (tmp_path / SESSIONS_FOLDER).iterdir())
    assert session.id in kept
    for secret in (given.cookie, given.key):
        assert len(secret) >= 43
        assert secret not in kept
        assert secret not in caplog.text
        assert secret not in repr(session)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_files_are_for_their_user_only(tmp_path: Path) -> None:
    store = open_sessions(tmp_path)
    _, given = store.begin_session(ORIGIN, "")
    folder = tmp_path / SESSIONS_FOLDER
    (file,) = folder.iterdir()
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)
    assert open_sessions(tmp_path).find_session(given.cookie, ORIGIN)
    folder.chmod(0o777)
    assert open_sessions(tmp_path).list_sessions() == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()
    folder.symlink_to(tmp_path)
    store = open_sessions(tmp_path)
    store.begin_session(ORIGIN, "")
    assert not list(tmp_path.glob("*.json"))
    assert len(store.list_sessions()) == 1


def test_there_are_never_more_than_a_few(tmp_path: Path) -> None:
    for store in (open_sessions(tmp_path), SessionStore(None)):
        cookies = [store.begin_session(ORIGIN, "")[1].cookie for _ in range(MAX_SESSIONS + 3)]
        assert len(store.list_sessions()) == MAX_SESSIONS
        assert store.find_session(cookies[-1], ORIGIN)
        assert not store.find_session(cookies[0], ORIGIN)
    assert len(list((tmp_path / SESSIONS_FOLDER).iterdir())) == MAX_SESSIONS


def test_a_session_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_sessions(tmp_path)
    session, given = store.begin_session(ORIGIN, "")
    now = time.time()
    clock = [now]
    monkeypatch.setattr(session_store, "steady_clock", lambda: clock[0])
    while clock[0] < now + LONGEST_SECONDS - 1:
        assert store.find_session(given.cookie, ORIGIN), (clock[0] - now) / 86_400
        store.note_use(session.id)
        clock[0] += UNUSED_SECONDS - 60
    clock[0] = now + LONGEST_SECONDS + 1
    assert not store.find_session(given.cookie, ORIGIN)
    unused, other = store.begin_session(ORIGIN, "")
    assert not (tmp_path / SESSIONS_FOLDER / f"{session.id}.json").exists()
    clock[0] += UNUSED_SECONDS + 1
    assert not store.find_session(other.cookie, ORIGIN)
    assert not store.is_valid(unused.id)


@pytest.mark.parametrize("days", [0.5, -0.5, 40, -40])
def test_a_clock_that_is_set_ends_no_browsers_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: float
) -> None:
    store = open_sessions(tmp_path)
    session, given = store.begin_session(ORIGIN, "")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + days * 86_400)
    assert store.find_session(given.cookie, ORIGIN)
    other, _ = store.begin_session(ORIGIN, "")
    # As it is read from its file, too, which the system would give another time.
    assert {one.id for one in store.list_sessions()} == {session.id, other.id}
    assert all(abs(one.used - now) < 60 for one in store.list_sessions())


def test_files_that_are_no_sessions_are_not_read(tmp_path: Path) -> None:
    store = open_sessions(tmp_path)
    session, _ = store.begin_session(ORIGIN, "")
    folder = tmp_path / SESSIONS_FOLDER
    good = (folder / f"{session.id}.json").read_text()
    hostile = ["", "[" * 5_000, "{}", "[]", "null", good, good.replace('"created": ', '"created": 1e400, "x": '),
               good.replace(session.id, "0" * 15 + "1")[:-1], good + " " * 5_000, good.replace(ORIGIN, "\x00")]  # fmt: skip
    for number, content in enumerate(hostile):
        (folder / f"{number:016x}.json").write_text(content)
    (folder / f"{99:016x}.json").mkdir()
    (folder / "x.json").write_text(good)
    (folder / f"{98:016x}.json").symlink_to(folder / f"{session.id}.json")
    assert [one.id for one in store.list_sessions()] == [session.id]


def test_a_full_disk_does_not_prevent_presenting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_sessions(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    session, given = store.begin_session(ORIGIN, "")
    assert store.find_session(given.cookie, ORIGIN)
    assert list((tmp_path / SESSIONS_FOLDER).iterdir()) == []
    store.note_use(session.id)
    assert store.end_session(session.id)
    assert not store.find_session(given.cookie, ORIGIN)


def test_browsers_are_described_in_fixed_words() -> None:
    assert browser_words(FIREFOX) == "Firefox on Linux"
    assert (
        browser_words("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/26.0 Safari/605.1.15")
        == "Safari on macOS"
    )
    assert (
        browser_words("Mozilla/5.0 (Windows NT 10.0) Chrome/143.0 Safari/537.36 Edg/143.0")
        == "Edge on Windows"
    )
    assert browser_words("<script>") == "another program"


async def test_an_app_that_ends_during_a_look_at_its_session_leaves_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_sessions(tmp_path)
    session, _ = store.begin_session(ORIGIN, "")
    looking, go_on, ended = threading.Event(), threading.Event(), asyncio.Event()

    def look() -> None:
        looking.set()
        assert go_on.wait(10)

    async def wait_for_ever() -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def send(message: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(store, "reload", look)
    receive, _ = with_session(store, session.id, wait_for_ever, send, every=0.01)
    waiting = asyncio.create_task(receive())  # pyright: ignore[reportArgumentType]
    assert await asyncio.to_thread(looking.wait, 10)
    waiting.cancel()
    async with asyncio.timeout(5):
        await ended.wait()
    go_on.set()


async def test_a_socket_closes_when_the_session_that_let_it_in_ends(tmp_path: Path) -> None:
    store = open_sessions(tmp_path)
    session, _ = store.begin_session(ORIGIN, "")
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    receive, send_on = with_session(store, session.id, incoming.get, send, every=0.01)
    incoming.put_nowait({"type": "websocket.connect"})
    assert (await receive())["type"] == "websocket.connect"
    waiting = asyncio.create_task(receive())  # pyright: ignore[reportArgumentType]
    await asyncio.sleep(0.05)
    assert not waiting.done()
    open_sessions(tmp_path).end_session(session.id)
    async with asyncio.timeout(5):
        assert (await waiting)["code"] == 4403
    assert [message["code"] for message in sent] == [4403]
    with pytest.raises(OSError, match="ended"):
        await send_on({"type": "websocket.send", "bytes": b"more"})
