"""The server as a process: its port, its start and end, and a viewer that has stopped reading for good."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.live.publication import Publication
from lamplighter.web.connections.listening_socket import open_listener
from lamplighter.web.settings import ServerSettings, SettingsError
from lamplighter.wire.row_frames import Census
from tests.support.folders import FakeTrainer, make_run
from tests.support.served import ServerThread, beat_at, receive_until

pytestmark = pytest.mark.anyio

START = """
import sys
from pathlib import Path
from lamplighter.serving.servers.server import run_server
from lamplighter.web.settings import ServerSettings
settings = ServerSettings(Path(sys.argv[1]), port=int(sys.argv[2]), roles=())
run_server(settings, lambda ready: print(ready.url, ready.port, ready.requested_port, flush=True))
print("ended", flush=True)
"""


def test_a_taken_port_gives_the_next_one(tmp_path: Path) -> None:
    with open_listener("127.0.0.1", 0) as first:
        taken = first.getsockname()[1]
        with open_listener("127.0.0.1", taken) as second:
            assert taken < second.getsockname()[1] <= taken + 50
    with pytest.raises(SettingsError, match="cannot listen"):
        open_listener("192.0.2.1", 0)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux")
def test_connections_inherit_the_limit_for_peers_that_are_gone() -> None:
    with open_listener("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000


def test_it_starts_and_ends_when_told(tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", START, str(tmp_path), "0"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        url = server.stdout.readline().split()[0]
        with urllib.request.urlopen(f"{url}healthz") as answer:
            assert answer.status == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
        assert server.stdout.read() == "ended\n"
    finally:
        server.kill()
        server.stdout.close()


async def test_a_viewer_that_never_reads_is_dropped_without_delaying_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ServerThread(ServerSettings(tmp_path, port=0, roles=()))
    monkeypatch.setattr(server.services.hub, "_send_seconds", 1.0)
    server.start()
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()
    stuck = await asyncio.to_thread(_upgrade, server.port, run.id)
    try:
        async with server.watch(run.id, close_timeout=0.2) as ws:
            await receive_until(ws, lambda m: isinstance(m, Census))
            # Publish more than all buffers hold until the server drops the stuck viewer.
            watched = server.services.hub._watched[run.id]  # pyright: ignore[reportPrivateUsage]
            noise = Publication((f'{{"type":"noise","noise":"{"x" * 400_000}"}}',), compress=False)
            async with asyncio.timeout(60):
                for step in range(1, 1_000):
                    if server.connections() == 1:
                        break
                    for _ in range(8):
                        watched.log.publish(noise, watched.log.newest_state()[1])
                    await asyncio.to_thread(trainer.train, 1)
                    await receive_until(ws, beat_at(step), 2)
        # The connection is gone too, although the client never closed it.
        async with asyncio.timeout(5):
            while server.connections() > 0:  # noqa: ASYNC110  (it is in another thread)
                await asyncio.sleep(0.05)
    finally:
        stuck.close()
        trainer.crash()
        await asyncio.to_thread(server.stop)


def _upgrade(port: int, run: str) -> socket.socket:
    """Open a websocket that never reads."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect(("127.0.0.1", port))
    made.sendall(
        f"GET /api/runs/{run}/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return made


def test_a_connection_sends_small_pieces_without_delay() -> None:
    with (
        open_listener("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
