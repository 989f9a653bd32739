"""The connection of a program to a server: kept between requests, and through a proxy where the environment names one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lamplighter.client.server_requests import KeptConnection

LOGIN = "Basic dXNlcjphIGI="
"""`user` with the password `a b`."""


class Heard(ThreadingHTTPServer):
    """A server or proxy that notes what it is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, str | None]] = []
        """Target, host, and login for a proxy."""
        self.connections: set[tuple[str, int]] = set()
        self.hangs_up = False
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Heard)
        server.requests.append((self.path, self.headers["Host"], self.headers["Proxy-Authorization"]))
        server.connections.add(self.client_address)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = server.hangs_up

    def do_CONNECT(self) -> None:
        server = self.server
        assert isinstance(server, Heard)
        server.requests.append((self.path, "", self.headers["Proxy-Authorization"]))
        self.send_error(502)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def heard() -> Iterator[Heard]:
    server = Heard()
    yield server
    server.shutdown()
    server.server_close()


def ask(connection: KeptConnection, *targets: str) -> None:
    for target in targets:
        assert connection.get(target, {}).read() == b"ok"
    connection.close()


def test_one_connection_serves_many_requests(heard: Heard) -> None:
    ask(KeptConnection(f"http://127.0.0.1:{heard.server_port}/api/runs/a", 5), "/a?x=1", "/b")
    host = f"127.0.0.1:{heard.server_port}"
    assert heard.requests == [("/a?x=1", host, None), ("/b", host, None)]
    assert len(heard.connections) == 1


def test_a_connection_that_the_server_closed_is_opened_again(heard: Heard) -> None:
    heard.hangs_up = True
    ask(KeptConnection(f"http://127.0.0.1:{heard.server_port}/", 5), "/a", "/b", "/c")
    assert [target for target, _, _ in heard.requests] == ["/a", "/b", "/c"]
    assert len(heard.connections) == 3


def test_the_proxy_of_the_environment_is_asked(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://user:a%20b@127.0.0.1:{heard.server_port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "other.example")
    ask(KeptConnection("http://lamps.example:8600/api/runs/a", 5), "/a", "/b")
    assert heard.requests == [
        (f"http://lamps.example:8600/{name}", "lamps.example:8600", LOGIN) for name in "ab"
    ]
    heard.requests.clear()
    with pytest.raises(OSError, match="502"):
        KeptConnection("https://lamps.example/api/runs/a", 5).get("/a", {})
    assert heard.requests == [("lamps.example:443", "", LOGIN)]


def test_this_machine_is_reached_without_a_proxy(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    ask(KeptConnection(f"http://127.0.0.1:{heard.server_port}/", 5), "/a")
    assert [target for target, _, _ in heard.requests] == ["/a"]
