"""Running the server: its own listening socket, uvicorn around the app, and being told when it is up."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import uvicorn
from uvicorn._types import WebSocketScope  # pyright: ignore[reportPrivateImportUsage]
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from lamplighter.serving.app import create_app
from lamplighter.serving.house import House
from lamplighter.serving.keys import TOKEN_FILE
from lamplighter.serving.settings import ServerSettings, SettingsError

log = logging.getLogger(__name__)

_PORTS_TRIED = 50
_LARGEST_INBOUND = 64 * 1024
_STALLED_MS = 15_000
_SEND_BUFFER = 256 * 1024


@dataclass(frozen=True)
class Ready:
    """The server is up."""

    url: str
    """Where people find the page."""
    launch_url: str
    """The same, making one browser the presenter's; works once. `fresh_launch_url` makes more."""
    port: int
    asked_port: int
    """Another than `port` where that was taken."""
    token: str
    """The presenter's."""
    token_path: Path
    fresh_launch_url: Callable[[], str]


def run_server(settings: ServerSettings, on_ready: Callable[[Ready], None]) -> None:
    """Serve until SIGINT or SIGTERM; the workers have ended when this returns. Call it from the main thread.

    Args:
        settings: where to listen and what to serve.
        on_ready: called on the event loop, once, when the server answers; must not block.

    Raises:
        SettingsError: settings that must not be served with, or no port is free.
        OSError: the runs folder cannot be used.
    """
    settings.check()
    listening = listen(settings.host, settings.port)
    try:
        server, house = build_server(settings, listening, on_ready)
        try:
            server.run(sockets=[listening])
        finally:
            # Where a second Ctrl-C cut the app's own ending short.
            house.exports.stop()
            if house.supervisor is not None:
                house.supervisor.stop()
    finally:
        listening.close()


def build_server(
    settings: ServerSettings, listening: socket.socket, on_ready: Callable[[Ready], None]
) -> tuple[uvicorn.Server, House]:
    """The server of `run_server`, not yet running, and the parts of its app.

    Raises:
        SettingsError: settings that must not be served with.
        OSError: the runs folder cannot be used.
    """
    port = int(listening.getsockname()[1])
    app = create_app(replace(settings, port=port))
    house: House = app.state.house

    def up() -> None:
        on_ready(
            Ready(
                url=f"{house.gate.addresses[0]}/",
                launch_url=house.gate.launch_url(),
                port=port,
                asked_port=settings.port,
                token=house.gate.keys.token,
                token_path=house.library.shelf.path / TOKEN_FILE,
                fresh_launch_url=house.gate.launch_url,
            )
        )

    def interrupted() -> None:
        if house.supervisor is not None:
            house.supervisor.interrupt()

    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws=_Socket,
        ws_max_size=_LARGEST_INBOUND,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    return _Server(config, up, interrupted), house


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on `port`, or on the next free one after it (0: on any).

    Raises:
        SettingsError: the host is not one of this machine's, or none of many ports is free.
    """
    name = "127.0.0.1" if host == "localhost" else host.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    for candidate in range(port, port + _PORTS_TRIED) if port else [0]:
        if candidate > 65_535:
            break
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            if sys.platform != "win32":
                # There it would mean sharing the port with another server.
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Connections inherit these two. A viewer's lag then shows here and not in the kernel, and a
            # peer that has stopped reading for good does not hold its socket for ever.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALLED_MS)
            made.bind((name, candidate))
            made.listen(256)
        except OSError as error:
            made.close()
            # Windows says EACCES of a port that another program has for itself.
            if error.errno == errno.EADDRINUSE or (error.errno == errno.EACCES and sys.platform == "win32"):
                continue
            if error.errno == errno.EACCES:
                raise SettingsError(
                    f"port: {candidate} needs privileges this user does not have; use one from 1024 on"
                ) from error
            raise SettingsError(f"host: cannot listen on {host}: {error.strerror or error}") from error
        return made
    raise SettingsError(f"port: none of {port} to {min(65_535, port + _PORTS_TRIED - 1)} is free")


class _Server(uvicorn.Server):
    """Says when it is up and when a person stops it, and returns where uvicorn would raise the signal again."""

    def __init__(
        self, config: uvicorn.Config, up: Callable[[], None], interrupted: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._up = up
        self._interrupted = interrupted

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._up()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        if sig == signal.SIGINT:
            self._interrupted()
        self.should_exit = True


class _Socket(WebSocketsSansIOProtocol):
    """Gives the app a way to drop a connection that does not even take a goodbye."""

    scope: WebSocketScope

    def handle_connect(self, event: object) -> None:
        super().handle_connect(event)  # pyright: ignore[reportArgumentType]
        # The app's task has been made and has not run yet.
        with suppress(AttributeError):
            self.scope["extensions"]["lamplighter.abort"] = self.transport.abort  # pyright: ignore
