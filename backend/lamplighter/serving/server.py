"""Running the server: its listening socket, uvicorn around the app, and a callback once it is up."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import uvicorn

from lamplighter.platform.descriptor_limit import raise_descriptor_limit
from lamplighter.serving.access.first_launch import FirstLaunch
from lamplighter.serving.app import create_app
from lamplighter.serving.class_server import ClassServer, class_limits
from lamplighter.serving.connections.connection_config import ConnectionConfig
from lamplighter.serving.connections.connection_gate import ConnectionGate
from lamplighter.serving.connections.http_protocol import GuardedHttpProtocol
from lamplighter.serving.connections.limits import ConnectionLimits, fit_limits
from lamplighter.serving.connections.listening_socket import ListeningSocket, ignore_accept_errors
from lamplighter.serving.connections.viewer_protocol import ViewerProtocol
from lamplighter.serving.own_name import hold_own_name
from lamplighter.serving.services import Services
from lamplighter.serving.settings import ServerSettings, SettingsError

log = logging.getLogger(__name__)

_PORTS_TRIED = 50
_STALLED_MS = 15_000
_SEND_BUFFER = 256 * 1024


@dataclass(frozen=True)
class ClassJoin:
    """The way into the class, as it stands when the server is up."""

    address: str
    """The address to type, the likeliest of several."""
    others: tuple[str, ...]
    link: str
    """The address with the secret that a QR code holds."""
    code: str
    encrypted: bool
    most: int


@dataclass(frozen=True)
class ServerInfo:
    """The addresses and credentials of a server that is up."""

    url: str
    """The address of the page."""
    launch_url: str
    """The page's address that makes one browser the presenter's; works once, together with the launch file."""
    port: int
    requested_port: int
    """The requested port; differs from `port` if it was taken."""
    token: str
    """The presenter's token."""
    most_connections: int
    """The number of connections that may be open at a time."""
    class_join: ClassJoin | None
    """The way into the class; None without one."""
    write_launch_file: Callable[[], Path | None]
    """Writes a file that makes the browser that opens it the presenter's, with the code of `launch_url`; None if it can
    be written nowhere. It is removed once the code is spent."""


def run_server(settings: ServerSettings, on_ready: Callable[[ServerInfo], None]) -> None:
    """Serve until SIGINT or SIGTERM; the workers have ended when this returns. Call it from the main thread.

    Args:
        settings: where to listen and what to serve.
        on_ready: called on the event loop, once, when the server answers; must not block.

    Raises:
        SettingsError: the settings are refused, no port is free, or this process may open too few files.
        OSError: the runs folder cannot be used.
    """
    settings.check()
    limits = fit_limits(raise_descriptor_limit())
    listening = open_listener(settings.host, settings.port)
    try:
        with hold_own_name(settings, int(listening.getsockname()[1])) as held:
            server, services = build_server(held, listening, on_ready, limits)
            try:
                server.run(sockets=[listening])
                if server.refusal is not None:
                    raise server.refusal
            finally:
                services.gate.credentials.codes.spend_all()
                # A second Ctrl-C may have cut the app's own shutdown short.
                services.export_jobs.stop()
                services.examiner_jobs.stop()
                if services.supervisor is not None:
                    services.supervisor.stop()
    finally:
        listening.close()


def build_server(
    settings: ServerSettings,
    listening: ListeningSocket,
    on_ready: Callable[[ServerInfo], None],
    limits: ConnectionLimits | None = None,
) -> tuple[_Server, Services]:
    """Build the server for `run_server` without running it. Returns it with the services of its app. `limits`: on its
    connections; by default those of a process with files enough.

    Raises:
        SettingsError: the settings are refused.
        OSError: the runs folder cannot be used.
    """
    port = int(listening.getsockname()[1])
    app = create_app(replace(settings, port=port))
    services: Services = app.state.services
    limits = limits or ConnectionLimits()
    listening.counters = services.connections
    class_server = None
    if settings.classroom is not None:
        limits, for_class = class_limits(limits)
        class_server = ClassServer(services, settings.classroom, for_class, open_listener)

    def up() -> None:
        launch = FirstLaunch(services.gate, settings.runs)
        on_ready(
            ServerInfo(
                url=services.gate.page_url(),
                launch_url=launch.url,
                port=port,
                requested_port=settings.port,
                token=services.gate.credentials.token,
                most_connections=limits.total,
                class_join=_class_join(services),
                write_launch_file=launch.write_file,
            )
        )

    def interrupted() -> None:
        if services.supervisor is not None:
            services.supervisor.interrupt()

    def is_presenter(
        method: str, path: str, headers: Sequence[tuple[bytes, bytes]], peer: str | None
    ) -> bool:
        kind = "websocket" if any(name == b"upgrade" for name, _ in headers) else "http"
        return services.gate.decide(kind, method, path, headers, peer).presenter

    config = ConnectionConfig(
        app,
        ConnectionGate(limits, services.connections),
        limits,
        is_presenter,
        http=GuardedHttpProtocol,
        ws=ViewerProtocol,
    )
    return _Server(config, class_server, up, interrupted), services


def _class_join(services: Services) -> ClassJoin | None:
    listening = services.class_listening
    if not listening.listening:
        return None
    code, secret = services.classroom.code_and_secret()
    address, *others = [str(one) for one in listening.addresses]
    return ClassJoin(
        address, tuple(others), f"{address}/#{secret}", code, listening.encrypted, services.classroom.most
    )


def open_listener(host: str, port: int) -> ListeningSocket:
    """Open a listening socket on `port`, or on the next free port after it (0: on any).

    Raises:
        SettingsError: the host is not one of this machine's, or none of many ports is free.
    """
    name = "127.0.0.1" if host == "localhost" else host.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    for candidate in range(port, port + _PORTS_TRIED) if port else [0]:
        if candidate > 65_535:
            break
        listener = ListeningSocket(family)
        try:
            if sys.platform != "win32":
                # On Windows this would share the port with another server.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Connections inherit these options. The small buffer makes a viewer's lag visible here instead of in
            # the kernel; the timeout frees the socket of a peer that has stopped reading for good. Without a delay,
            # because the last piece of an answer would wait 40 ms for the client to acknowledge those before it.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALLED_MS)
            listener.bind((name, candidate))
            listener.listen(256)
        except OSError as error:
            listener.close()
            # Windows reports EACCES for a port that another program holds exclusively.
            if error.errno == errno.EADDRINUSE or (error.errno == errno.EACCES and sys.platform == "win32"):
                continue
            if error.errno == errno.EACCES:
                raise SettingsError(
                    f"port: {candidate} needs privileges this user does not have; use one from 1024 on"
                ) from error
            raise SettingsError(f"host: cannot listen on {host}: {error.strerror or error}") from error
        return listener
    raise SettingsError(f"port: none of {port} to {min(65_535, port + _PORTS_TRIED - 1)} is free")


class _Server(uvicorn.Server):
    """A uvicorn server that reports startup and Ctrl-C, and returns where uvicorn would raise the signal
    again."""

    def __init__(
        self,
        config: uvicorn.Config,
        class_server: ClassServer | None,
        up: Callable[[], None],
        interrupted: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._class_server = class_server
        self._up = up
        self._interrupted = interrupted
        self.refusal: SettingsError | None = None
        """The reason why the class could not be opened at the start."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(ignore_accept_errors)
        await super().startup(sockets)
        if self.started and self._class_server is not None:
            try:
                await self._class_server.start()
            except SettingsError as error:
                self.refusal = error
                self.should_exit = True
                return
        if self.started:
            self._up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End both listeners at the same time, so that a class does not double the time it takes."""
        closing = [self._class_server.stop()] if self._class_server is not None else []
        await asyncio.gather(super().shutdown(sockets), *closing)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        if sig == signal.SIGINT:
            self._interrupted()
        self.should_exit = True
