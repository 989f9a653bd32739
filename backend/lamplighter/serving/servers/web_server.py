"""The web server: uvicorn around the app, with its front first if no class is served."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

import anyio.to_thread
import uvicorn
from fastapi import FastAPI

from lamplighter.processes.supervisor import Supervisor
from lamplighter.runfolder import remote_files
from lamplighter.serving.apps.front import LateRest, Rest, create_front
from lamplighter.serving.front_services import FrontServices
from lamplighter.serving.server_info import ClassJoin, ServerInfo
from lamplighter.web.access.first_launch import FirstLaunch
from lamplighter.web.connections.connection_gate import ConnectionGate
from lamplighter.web.connections.http_protocol import ConnectionConfig, GuardedHttpProtocol
from lamplighter.web.connections.limits import ConnectionLimits
from lamplighter.web.connections.listening_socket import ListeningSocket, ignore_accept_errors, open_listener
from lamplighter.web.connections.viewer_protocol import ViewerProtocol
from lamplighter.web.settings import ServerSettings, SettingsError

if TYPE_CHECKING:
    from lamplighter.serving.servers.class_server import ClassServer
    from lamplighter.serving.services import Services


def build_server(
    settings: ServerSettings,
    listening: ListeningSocket,
    on_ready: Callable[[ServerInfo], None],
    limits: ConnectionLimits | None = None,
    supervisor: Supervisor | None = None,
) -> tuple[WebServer, Services]:
    """Build the complete server for `run_server` without running it. Returns it with the services of its app.

    By default its limits are those for enough file descriptors, and its supervisor is a new one. Raises as
    `create_app`.
    """
    # These import the modules of all routes.
    from lamplighter.serving.apps.app import create_app

    app = create_app(replace(settings, port=int(listening.getsockname()[1])), supervisor)
    services: Services = app.state.services
    limits, class_server = limits or ConnectionLimits(), None
    if settings.classroom is not None:
        from lamplighter.serving.servers.class_server import ClassServer, class_limits

        limits, for_class = class_limits(limits)
        class_server = ClassServer(services, settings.classroom, for_class, open_listener)
    return _make_server(app, settings, listening, on_ready, limits, class_server), services


def build_early_server(
    settings: ServerSettings,
    listening: ListeningSocket,
    on_ready: Callable[[ServerInfo], None],
    limits: ConnectionLimits,
    supervisor: Supervisor | None,
) -> WebServer:
    """Build a server without a class that answers before the modules of most routes are imported. Raises as
    `create_app`.
    """

    def end(error: Exception) -> None:
        server.refusal = error
        server.should_exit = True

    front_settings = replace(settings, port=int(listening.getsockname()[1]))
    app = create_front(front_settings, supervisor, LateRest(_late_rest, end))
    server = _make_server(app, settings, listening, on_ready, limits, None)
    return server


@asynccontextmanager
async def _late_rest(app: FastAPI) -> AsyncGenerator[None]:
    run_rest = await anyio.to_thread.run_sync(_attach_rest, app)
    async with run_rest(app):
        yield


def _attach_rest(app: FastAPI) -> Rest:
    from lamplighter.serving.apps.app import attach_rest, run_rest

    attach_rest(app)
    return run_rest


def _make_server(
    app: FastAPI,
    settings: ServerSettings,
    listening: ListeningSocket,
    on_ready: Callable[[ServerInfo], None],
    limits: ConnectionLimits,
    class_server: ClassServer | None,
) -> WebServer:
    front: FrontServices = app.state.services
    listening.counters = front.connections

    def up() -> None:
        launch = FirstLaunch(front.gate, settings.runs)
        on_ready(
            ServerInfo(
                url=front.gate.page_url(),
                launch_url=launch.url,
                port=int(listening.getsockname()[1]),
                requested_port=settings.port,
                token=front.gate.credentials.token,
                most_connections=limits.total,
                class_join=_class_join(app.state.services) if class_server is not None else None,
                write_launch_file=launch.write_file,
            )
        )

    def interrupted() -> None:
        if front.supervisor is not None:
            front.supervisor.interrupt()

    def is_presenter(
        method: str, path: str, headers: Sequence[tuple[bytes, bytes]], peer: str | None
    ) -> bool:
        kind = "websocket" if any(name == b"upgrade" for name, _ in headers) else "http"
        return front.gate.decide(kind, method, path, headers, peer).presenter

    config = ConnectionConfig(
        app,
        ConnectionGate(limits, front.connections),
        limits,
        is_presenter,
        http=GuardedHttpProtocol,
        ws=ViewerProtocol,
    )
    return WebServer(app, config, class_server, up, interrupted)


def _class_join(services: Services) -> ClassJoin | None:
    listening = services.class_listening
    if not listening.listening:
        return None
    code, secret = services.classroom.code_and_secret()
    address, *others = [str(one) for one in listening.addresses]
    return ClassJoin(
        address, tuple(others), f"{address}/#{secret}", code, listening.encrypted, services.classroom.most
    )


class WebServer(uvicorn.Server):
    """A uvicorn server that reports startup and Ctrl-C, and returns where uvicorn would raise the signal again."""

    def __init__(
        self,
        app: FastAPI,
        config: uvicorn.Config,
        class_server: ClassServer | None,
        up: Callable[[], None],
        interrupted: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._app = app
        self._class_server = class_server
        self._up = up
        self._interrupted = interrupted
        self.refusal: Exception | None = None
        """The reason why the class could not be opened at the start, or the routes could not be attached."""

    def stop_jobs(self) -> None:
        """End every job and every launch link, because a second Ctrl-C may have cut the app's shutdown short."""
        self._app.state.services.gate.credentials.codes.spend_all()
        for job in self._app.state.jobs:
            job.stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start both listeners, and report that the server is up."""
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
        """End both listeners at the same time, so that a class does not double the time."""
        closing = [self._class_server.stop()] if self._class_server is not None else []
        await asyncio.gather(super().shutdown(sockets), *closing)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the server on a signal; at once on a second Ctrl-C."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        if sig == signal.SIGINT:
            self._interrupted()
        remote_files.give_up()
        self.should_exit = True
