"""The tokens of programs that push runs.

The pages for wrong addresses.
Responses to unexpected errors.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect

from lamplighter.web.access import credentials
from lamplighter.web.access.credentials import PUSHERS_FOLDER, PusherStore
from lamplighter.web.access.gate_middleware import CrashMiddleware
from lamplighter.web.http.problems import unknown_page
from tests.support.asgi import HOST, call, scope_of


def test_a_token_is_found_until_it_is_revoked(tmp_path: Path) -> None:
    store = PusherStore(tmp_path)
    pusher, token = store.issue_token("exp-", 60, 3, 10**9)
    assert store.find_pusher(token) == pusher == PusherStore(tmp_path).list_pushers()[0]
    assert pusher.covers("exp-1")
    assert not pusher.covers("other")
    assert not pusher.covers("my-exp-1")
    assert not store.revoke("0" * 16)
    assert store.revoke(pusher.id)
    assert store.find_pusher(token) is None
    assert store.list_pushers() == []


def test_an_expired_token_is_listed_and_not_found(tmp_path: Path) -> None:
    store = PusherStore(tmp_path)
    pusher, token = store.issue_token("exp", -1, 3, 10**9)
    assert store.find_pusher(token) is None
    assert store.list_pushers() == [pusher]


def test_the_file_holds_no_secret_and_is_private(tmp_path: Path) -> None:
    pusher, token = PusherStore(tmp_path).issue_token("exp", 60, 3, 10**9)
    path = tmp_path / PUSHERS_FOLDER / f"{pusher.id}.json"
    secret = token.split("_", 2)[2]
    assert len(secret) == 43  # 256 bits.
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_another_token_is_not_found(tmp_path: Path) -> None:
    store = PusherStore(tmp_path)
    pusher, token = store.issue_token("exp", 60, 3, 10**9)
    last = "b" if token[-1] == "a" else "a"
    secret = token.split("_", 2)[2]
    others = (
        token[:-1],
        token[:-1] + last,
        token + "a",
        f"lamp_{'0' * 16}_{secret}",
        secret,
        "",
        f"../{token}",
        token.upper(),
    )
    assert [store.find_pusher(other) for other in others] == [None] * len(others)
    assert store.find_pusher(token) == pusher


def test_files_that_are_none_of_ours_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PusherStore(tmp_path)
    pusher, token = store.issue_token("exp", 60, 3, 10**9)
    path = tmp_path / PUSHERS_FOLDER / f"{pusher.id}.json"
    kept = path.read_text()
    for text in (
        "",
        "{}",
        "[]",
        "x" * 5_000,
        kept.replace('"prefix":"exp"', '"prefix":""'),
        kept[:-1] + ',"more":1}',
    ):
        path.write_text(text)
        assert store.find_pusher(token) is None
    (tmp_path / "elsewhere").write_text(kept)
    path.unlink()
    os.symlink(tmp_path / "elsewhere", path)
    assert store.find_pusher(token) is None
    path.unlink()
    path.write_text(kept)
    assert store.find_pusher(token) == pusher
    monkeypatch.setattr(credentials, "is_own", lambda _: False)
    assert store.find_pusher(token) is None


@pytest.mark.parametrize("prefix", ["", "-x", "A", "a/b", "..", "a" * 61, "ä"])
def test_a_prefix_begins_the_id_of_a_run(prefix: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot begin"):
        PusherStore(tmp_path).issue_token(prefix, 60, 1, 1)


BROWSER = {"host": HOST, "accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROBLEM = "application/problem+json"


@pytest.mark.parametrize(("path", "title"), [("/nowhere", "There is no page here"), ("/a/b/c?d", "There is no page here"), ("/launch?code=old", "This presenter link has expired")])  # fmt: skip
async def test_a_browser_gets_a_page_in_our_look(app: FastAPI, path: str, title: str) -> None:
    answer = await call(app, "GET", path, BROWSER)
    page = answer.body.decode()
    assert answer.status == (403 if "launch" in path else 404)
    assert answer.headers["content-type"].startswith("text/html")
    assert f"<h1>{title}</h1>" in page
    assert f'rel="stylesheet" href="http://{HOST}/static/plain.css"' in page
    assert "<script" not in page
    assert "style=" not in page, "the content security policy does not allow it"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


async def test_a_program_gets_json(app: FastAPI) -> None:
    for headers in ({"host": HOST}, {"host": HOST, "accept": "application/json"}):
        answer = await call(app, "GET", "/nowhere", headers)
        assert (answer.status, answer.headers["content-type"]) == (404, PROBLEM)


def test_nothing_of_an_address_is_markup() -> None:
    assert b"<script>" not in bytes(unknown_page('https://x/"><script>alert(1)</script>/').body)


async def test_a_500_carries_the_security_headers_and_says_nothing_of_the_cause(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"secret at {tmp_path}")

    monkeypatch.setattr(app.state.services.catalog, "list_runs", fail)
    usual = await call(app, "GET", "/healthz")
    answer = await call(app, "GET", "/api/runs")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(usual.headers) == set(answer.headers)
    for name in ("content-security-policy", "x-content-type-options", "cross-origin-opener-policy"):
        assert answer.headers[name] == usual.headers[name]
    assert "RuntimeError" in answer.json["detail"]
    assert "secret" not in answer.body.decode()
    assert "secret at" in caplog.text


async def test_an_error_in_the_gate_itself_is_answered_so_too(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(app.state.services.gate, "decide", fail)
    answer = await call(app, "GET", "/healthz")
    assert (answer.status, answer.headers["x-content-type-options"]) == (500, "nosniff")


async def run(error: Exception, *, begun: bool) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def fail(_: Any, __: Any, send: Any) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await CrashMiddleware(fail)(scope_of("http", "GET", "/", {}, None), receive, send)
    return sent


async def test_an_answer_that_breaks_off_does_not_look_whole() -> None:
    with pytest.raises(OSError, match="gone"):
        await run(OSError("gone"), begun=True)


async def test_a_client_that_leaves_during_its_upload_causes_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert await run(ClientDisconnect(), begun=False) == []
    assert caplog.text == ""
