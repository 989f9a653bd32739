"""The start of the server: its listening socket, its workers, and then the web server, whose modules take longest to
import."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from lamplighter.platform.worker_limits import raise_descriptor_limit
from lamplighter.processes.supervisor import Supervisor
from lamplighter.serving.server_info import ServerInfo
from lamplighter.serving.supervision import make_supervisor
from lamplighter.web.connections.limits import ConnectionLimits, fit_limits
from lamplighter.web.connections.listening_socket import ListeningSocket, hold_own_name, open_listener
from lamplighter.web.settings import ServerSettings


def run_server(settings: ServerSettings, on_ready: Callable[[ServerInfo], None]) -> None:
    """Serve until SIGINT or SIGTERM, and wait for the workers to end. Call it from the main thread. `on_ready` is
    called on the event loop, once, when the server answers; it must not block.

    Raises SettingsError if the settings are refused, no port is free, or the limit of open files is too low;
    OSError if the runs folder cannot be used.
    """
    settings.check()
    limits = fit_limits(raise_descriptor_limit())
    listening = open_listener(settings.host, settings.port)
    supervisor: Supervisor | None = None
    try:
        with hold_own_name(settings, int(listening.getsockname()[1])) as held:
            supervisor = make_supervisor(settings)
            _serve(held, listening, on_ready, limits, supervisor)
    finally:
        if supervisor is not None:
            supervisor.stop()
        listening.close()


def _serve(
    settings: ServerSettings,
    listening: ListeningSocket,
    on_ready: Callable[[ServerInfo], None],
    limits: ConnectionLimits,
    supervisor: Supervisor | None,
) -> None:
    with _stopped_by_signals(supervisor):
        if supervisor is not None:
            # Before the imports below: a worker takes longer to start than the server.
            supervisor.start()
        from lamplighter.serving.servers.web_server import build_early_server, build_server

        if settings.classroom is None:
            server = build_early_server(settings, listening, on_ready, limits, supervisor)
        else:
            server, _ = build_server(settings, listening, on_ready, limits, supervisor)
    try:
        server.run(sockets=[listening])
        if server.refusal is not None:
            raise server.refusal
    finally:
        server.stop_jobs()


@contextmanager
def _stopped_by_signals(supervisor: Supervisor | None) -> Generator[None]:
    """Let SIGTERM and Ctrl-C end the workers until uvicorn handles signals."""

    def on_term(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, on_term)
    try:
        yield
    except KeyboardInterrupt:
        if supervisor is not None:
            supervisor.interrupt()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
