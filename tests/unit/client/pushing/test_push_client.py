"""What a pusher asks of a server, and what it makes of answers of any kind."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import lamplighter
from lamplighter.client.errors import InputError
from lamplighter.client.pushing import pusher as pushing
from lamplighter.client.pushing.push_client import (
    LaterError,
    PushClient,
    PushConflictError,
    PushRefusedError,
    check_server,
    check_token,
)
from lamplighter.client.pushing.pusher import RunPusher
from lamplighter.runfolder.fragments.fragment import Position
from tests.support.synthetic_runs.growing_run import GrowingRun

TOKEN = f"lamp_{'0' * 16}_{'x' * 43}"


class Server:
    """A server that gives the answers of a list, in order, the last for ever."""

    def __init__(self, *answers: tuple[int, str, dict[str, str]]) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

            def answer(self) -> None:
                server.asked.append((self.command, self.path, self.headers["authorization"]))
                self.rfile.read(int(self.headers.get("content-length") or 0))
                status, body, headers = answers[min(len(server.asked), len(answers)) - 1]
                self.send_response(status)
                for name, value in ({"content-length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_PUT = answer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        self.client = PushClient(self.address, TOKEN)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def run(tmp_path: Path) -> GrowingRun:
    found = GrowingRun(tmp_path)
    found.grow(2)
    found.end()
    return found


HERE = Position(attempt=1, step=2, made=5).model_dump_json()


@pytest.mark.parametrize("url", ["https://lamps.example", "https://lamps.example:8443/lamps/", "http://127.0.0.1:8600", "http://localhost:1",
                                 "http://[::1]:8600"])  # fmt: skip
def test_addresses(url: str) -> None:
    assert check_server(url) == url.rstrip("/")


@pytest.mark.parametrize("url", ["", "lamps.example", "ftp://lamps.example", "https://", "https://me@lamps.example", "https://a/?x=1", "https://a/#b",
                                 "https://a:port", "https://[::1", "https://a..example", "https://a b", "https://a/b c", "https://a/ä", "http://lamps.example", "http://10.0.0.1", "http://127.0.0.1.evil.example"])  # fmt: skip
def test_no_addresses(url: str) -> None:
    with pytest.raises(InputError):
        check_server(url)


def test_plain_http_takes_a_flag() -> None:
    assert check_server("http://10.0.0.1:80", insecure_http=True) == "http://10.0.0.1:80"


@pytest.mark.parametrize("token", [None, "", "short", "x" * 300, "x" * 30 + "\r\nHost: evil"])
def test_no_tokens(token: str | None) -> None:
    with pytest.raises(InputError):
        check_token(token)


def test_a_redirect_is_not_followed_with_the_token() -> None:
    elsewhere = Server((200, HERE, {}))
    server = Server((307, "", {"location": f"{elsewhere.address}/api/push/mine"}))
    with pytest.raises(PushRefusedError, match="elsewhere"):
        server.client.position("mine")
    assert elsewhere.asked == []
    assert server.asked == [("GET", "/api/push/mine", f"Bearer {TOKEN}")]
    for one in (server, elsewhere):
        one.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, '{"detail": "no"}', {}), PushRefusedError),
        ((413, "", {}), PushRefusedError),
        ((422, "x" * 100_000, {}), PushRefusedError),
        ((409, '{"detail": "other"}', {}), PushConflictError),
        ((429, "", {"retry-after": "7"}), LaterError),
        ((503, "[]", {"retry-after": "soon"}), LaterError),
        ((507, "", {}), LaterError),
        ((200, "<html>", {}), PushRefusedError),
        # A server that was killed while it answered.
        ((200, '{"attempt": 1', {"content-length": "90"}), LaterError),
        ((200, '{"step": -1}', {}), PushRefusedError),
    ],
)
def test_answers(answer: tuple[int, str, dict[str, str]], error: type[Exception]) -> None:
    server = Server(answer)
    with pytest.raises(error) as found:
        server.client.position("mine")
    if isinstance(found.value, LaterError):
        assert found.value.seconds == (7 if "retry-after" in answer[2] and answer[0] == 429 else None)
    server.close()


def test_a_server_that_is_not_there_is_asked_later() -> None:
    server = Server((200, HERE, {}))
    server.close()
    with pytest.raises(LaterError, match="cannot be reached"):
        server.client.position("mine")


def test_what_is_wrong_is_said_once_and_sent_when_it_is_over(
    run: GrowingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "_MIN_WAIT", 0.001)
    full, done = (507, '{"detail": "full"}', {}), (201, HERE, {})
    server = Server(full, full, full, (404, "", {}), done, full, full, done)
    said: list[str] = []
    pusher = RunPusher(run.folder, server.client, say=said.append)
    assert pusher.push()
    assert len(said) == 1
    assert "full" in said[0]
    assert [method for method, *_ in server.asked] == ["GET"] * 4 + ["PUT"] * 4
    assert server.asked[5][1] == server.asked[6][1] == server.asked[7][1]
    server.close()


def test_patience_ends_once_the_loop_has(run: GrowingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "_MIN_WAIT", 0.001)
    server = Server((503, "", {}))
    assert not RunPusher(run.folder, server.client, say=lambda _: None, patience=0.01).push()
    server.close()


def test_a_server_with_another_run_of_that_name_ends_it(
    run: GrowingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "_MIN_WAIT", 0.001)
    server = Server((409, '{"detail": "another run"}', {}))
    with pytest.raises(PushRefusedError, match="another run"):
        RunPusher(run.folder, server.client, say=lambda _: None).push()
    server.close()


def test_a_run_that_was_removed_ends_it(run: GrowingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server((503, "", {}))
    run.folder.path.rename(run.folder.path.with_name("gone"))
    assert not RunPusher(run.folder, server.client, say=lambda _: None).push()
    server.close()


def test_watch_refuses_an_unusable_server_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.delenv("LAMPLIGHTER_PUSH_TOKEN", raising=False)
    model = torch.nn.Embedding(4, 2)
    for push, token in (("http://lamps.example", TOKEN), ("https://lamps.example", None)):
        with pytest.raises(InputError):
            lamplighter.watch(model, ["a", "b", "c", "d"], tmp_path / "run", push=push, token=token)
    assert not (tmp_path / "run").exists()
