"""A server that may open few files: idle sockets do not exhaust it, and it survives when something else does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from tests.support.application import Application

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limit on descriptors")

LIMITED = 'ulimit -n 160; exec "$0" -m lamplighter "$@"'

# Something in the server's process takes every descriptor when the test writes a line, and gives them back at the next.
EATEN = """
import os, sys, threading
from pathlib import Path
from lamplighter.serving.servers.server import run_server
from lamplighter.web.settings import ServerSettings

def eat():
    sys.stdin.readline()
    eaten = []
    try:
        while True:
            eaten.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        print("eaten", flush=True)
    sys.stdin.readline()
    for descriptor in eaten:
        os.close(descriptor)
    print("back", flush=True)

def ready(info):
    print(info.port, flush=True)
    threading.Thread(target=eat, daemon=True).start()

run_server(ServerSettings(Path(sys.argv[1]), port=0, roles=()), ready)
"""


def test_idle_sockets_do_not_keep_the_presenter_out(tmp_path: Path) -> None:
    command = ["sh", "-c", LIMITED, sys.executable]
    with Application(tmp_path, "serve", "--no-workers", command=command) as application:
        idle: list[socket.socket] = []
        try:
            for _ in range(5):
                idle += [socket.create_connection(("127.0.0.1", application.port)) for _ in range(60)]
                assert application.get("/api/runs") is not None
        finally:
            for one in idle:
                one.close()
        assert application.get("/api/runs") is not None
    assert "up to 64 connections at a time" in application.log
    assert len(application.log) < 2_000, application.log[:2_000]


def test_too_few_files_are_refused_at_the_start(tmp_path: Path) -> None:
    command = LIMITED.replace("160", "100")
    words = ["serve", "--runs", str(tmp_path), "--no-browser", "--no-workers", "--port", "0"]
    ended = subprocess.run(["sh", "-c", command, sys.executable, *words], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "open files: this process may open 100" in ended.stderr


def test_a_server_out_of_descriptors_says_so_once_and_recovers(tmp_path: Path) -> None:
    server = subprocess.Popen(
        ["sh", "-c", 'ulimit -n 160; exec "$0" "$@"', sys.executable, "-c", EATEN, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stderr is not None
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(server.stderr or []))
    reader.start()
    try:
        port = int(server.stdout.readline())
        # This route answers once all modules are imported; until then the server has files of its own to open.
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(
                b"GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % port
            )
            # It ends when the server has given its descriptor back.
            while client.recv(1 << 16):
                pass
        server.stdin.write("eat\n")
        server.stdin.flush()
        assert server.stdout.readline() == "eaten\n"
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                client.settimeout(5)
                assert client.recv(1) == b"", "it is closed, not left to wait"
        server.stdin.write("give back\n")
        server.stdin.flush()
        assert server.stdout.readline() == "back\n"
        deadline = time.monotonic() + 10
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert time.monotonic() < deadline
    finally:
        server.terminate()
        server.wait(10)
        reader.join(5)
        for pipe in (server.stdin, server.stdout, server.stderr):
            pipe.close()
    assert len(said) == 1, "".join(said)
    assert "closed unread until there is room" in said[0]
