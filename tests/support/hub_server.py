"""A small server that speaks the Hub's HTTP: revisions, files of a revision, a redirect to another host, ranges.

Faults are planted by the number of a request to a file, so that a test says what breaks and when.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any
from urllib.parse import unquote

Fault = Callable[["Handler", bytes], bool]
"""What happens to a request instead of its answer; False: the answer comes all the same."""


@dataclass
class Hub:
    """The files of one model by revision, and what was asked for."""

    model: str = "org/tiny"
    revisions: dict[str, dict[str, bytes]] = field(default_factory=dict[str, dict[str, bytes]])
    faults: dict[str, list[Fault]] = field(default_factory=dict[str, list[Fault]])
    """By the end of a path: what happens to its first request, its second, and so on."""
    requests: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])
    """Host, path and range of each request."""
    tokens: list[tuple[str, str | None]] = field(default_factory=list[tuple[str, str | None]])
    """Host and authorization of each request."""
    sent: int = 0
    """Bytes of files that were sent."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: Counter[str] = field(default_factory=Counter[str])
    endpoint: str = ""
    storage: str = ""
    """The address of the other host, on which the bytes of large files are."""
    drip: float = 0.0
    """Seconds before each byte of the answers that begin now, heads included; 0: none."""

    def commit(self, revision: str) -> str:
        return hashlib.sha1(revision.encode()).hexdigest()

    def file(self, revision: str, name: str) -> bytes | None:
        for known, files in self.revisions.items():
            if revision in (known, self.commit(known)):
                return files.get(name)
        return None

    def ranges_of(self, name: str) -> list[str | None]:
        return [part for _, path, part in self.requests if path.endswith(name)]


class _Dripping:
    """A socket's writer that sends one byte at a time while its server is slow."""

    def __init__(self, writer: BufferedIOBase, hub: Hub) -> None:
        self._writer, self._hub = writer, hub

    def write(self, data: bytes) -> int:
        if not (pause := self._hub.drip):
            return self._writer.write(data)
        for at in range(len(data)):
            time.sleep(pause)
            self._writer.write(data[at : at + 1])
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def setup(self) -> None:
        super().setup()
        self.wfile = _Dripping(self.wfile, self.hub)  # pyright: ignore[reportAttributeAccessIssue]

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path, hub = unquote(self.path), self.hub
        with hub.lock:
            hub.requests.append((self.headers["host"], path, self.headers["range"]))
            hub.tokens.append((self.headers["host"], self.headers["authorization"]))
            faults = next((some for end, some in hub.faults.items() if path.endswith(end)), [])
            fault = faults.pop(0) if faults else None
        if path == f"/api/models/{hub.model}/refs":
            branches = [{"name": name, "targetCommit": hub.commit(name)} for name in hub.revisions]
            data: bytes | None = json.dumps({"branches": branches, "tags": [], "converts": []}).encode()
        else:
            _, _, rest = path.partition("/resolve/")
            revision, _, name = rest.partition("/")
            data = hub.file(revision, name)
        if fault is not None and fault(self, data or b""):
            return
        if data is None:
            self.answer(404, b"Entry not found")
        elif path.endswith(".safetensors") and self.headers["host"] == hub.endpoint.removeprefix("http://"):
            self.answer(
                302,
                b"",
                location=hub.storage + self.path,
                **{"x-linked-etag": self.tag_of(data), "x-linked-size": str(len(data))},
            )
        elif self.headers["range"] is None:
            self.answer(200, data, etag=self.tag_of(data))
        else:
            self.send_part(data)

    def tag_of(self, data: bytes) -> str:
        return f'"{hashlib.sha256(data).hexdigest()}"'

    def part_of(self, data: bytes) -> tuple[int, int]:
        first, _, last = self.headers["range"].removeprefix("bytes=").partition("-")
        return int(first), min(int(last) + 1, len(data))

    def send_part(self, data: bytes, cut: int | None = None, **headers: str) -> None:
        """Send the range that is asked for; only `cut` bytes of it, and then hang up."""
        start, end = self.part_of(data)
        if start >= len(data):
            self.answer(416, b"", **{"content-range": f"bytes */{len(data)}"})
            return
        self.send_response(206)
        told = {
            "content-range": f"bytes {start}-{end - 1}/{len(data)}",
            "content-length": str(end - start),
            "etag": self.tag_of(data),
        }
        for name, value in (told | headers).items():
            self.send_header(name, value)
        self.end_headers()
        sent = data[start:end] if cut is None else data[start:end][:cut]
        with self.hub.lock:
            self.hub.sent += len(sent)
        self.wfile.write(sent)
        self.close_connection = self.close_connection or cut is not None

    def answer(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        # Clients hang up on hostile answers.
        pass


@contextmanager
def serve_hub(hub: Hub) -> Generator[Hub]:
    """Serve a model on two ports, which are two hosts to a client."""
    handler = type("OwnHandler", (Handler,), {"hub": hub})
    servers = [_Server(("127.0.0.1", 0), handler) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    hub.endpoint, hub.storage = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def status(code: int, **headers: str) -> Fault:
    """Return the fault of another answer."""

    def fault(handler: Handler, _: bytes) -> bool:
        handler.answer(code, b"", **{name.replace("_", "-"): value for name, value in headers.items()})
        return True

    return fault


def cut_after(count: int) -> Fault:
    """Return the fault of a body that breaks off."""

    def fault(handler: Handler, data: bytes) -> bool:
        handler.send_part(data, cut=count)
        return True

    return fault


def fine(handler: Handler, data: bytes) -> bool:
    """Answer as usual."""
    return False
