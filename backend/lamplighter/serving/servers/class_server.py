"""The class's listener: a second uvicorn server on the presenter's event loop, which can be opened and closed."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import uvicorn

from lamplighter.geometry.blas_threads import one_blas_thread
from lamplighter.platform.own_addresses import find_own_addresses, is_loopback
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.serving.apps.class_app import create_class_app
from lamplighter.serving.classroom.class_gate import ClassGate
from lamplighter.serving.classroom.relaying.owner import Owner
from lamplighter.serving.services import Services
from lamplighter.web.connections.connection_gate import ConnectionGate
from lamplighter.web.connections.http_protocol import ConnectionConfig, GuardedHttpProtocol
from lamplighter.web.connections.limits import ConnectionLimits
from lamplighter.web.connections.listening_socket import ListeningSocket
from lamplighter.web.connections.viewer_protocol import ClassProtocol
from lamplighter.web.hosts import Origin, loopback_origins
from lamplighter.web.settings import ClassSettings, SettingsError

_SAVE_SECONDS, _PAUSE_SECONDS = 1.0, 0.05
"""Seconds after which what could not be saved is tried again, and minimum seconds between two changes."""
_SWITCH_SECONDS = 0.0005
"""Seconds after which a computing thread yields the interpreter lock. The event loop waits that long several times in
each request, and in a class some thread always computes, so Python's default of 5 ms adds up."""
_ANY_HOST = ("0.0.0.0", "::")


class ClassServer:
    """The server of one class. Belongs to one event loop."""

    def __init__(
        self,
        services: Services,
        settings: ClassSettings,
        limits: ConnectionLimits,
        open_listener: Callable[[str, int], ListeningSocket],
    ) -> None:
        """Prepare to listen. `open_listener` opens a listening socket on a host and a port, or a port near it.
        Raises SettingsError if the limits are too low for the number of viewers.
        """
        if limits.total - limits.reserve < settings.most:
            raise SettingsError(
                f"class_size: this process can open enough files for {limits.total - limits.reserve} viewers, not for"
                f" {settings.most}; raise its limit (ulimit -n 4096), or choose a smaller class with --class-size"
            )
        self._services = services
        self._settings = settings
        self._limits = limits
        self._open_listener = open_listener
        self._port = settings.port
        self._server: QuietUvicorn | None = None
        self._serving: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._owner: Owner | None = None
        self._changing = asyncio.Lock()
        """Held while it starts or stops, because the presenter's browser may ask for both at once."""
        self._listening: ListeningSocket | None = None
        self._lock: RoleLock | None = None
        self._eased = ExitStack()
        """Restores what the process does otherwise while no class is open."""
        services.class_listening.available = True
        services.class_listening.attach(self)

    async def start(self) -> None:
        """Start to listen, and return once it listens. Does nothing if it already listens. Raises SettingsError."""
        async with self._changing:
            if self._serving is not None:
                return
            try:
                await self._open()
            except BaseException:
                await self._close()
                raise

    async def stop(self) -> None:
        """Close every connection of the class, with the reason, and stop listening."""
        async with self._changing:
            await self._close()

    async def _open(self) -> None:
        services, settings = self._services, self._settings
        services.class_listening.loop = asyncio.get_running_loop()
        self._lock = await asyncio.to_thread(_lock_class, services.settings.runs)
        if self._lock is not None:
            await asyncio.to_thread(services.classroom.restore)
        listening = self._listening = self._open_listener(settings.host, self._port)
        listening.counters = services.class_connections
        # Viewers who return after a pause find the class at the same address.
        self._port = int(listening.getsockname()[1])
        public = settings.public
        shown, near = class_origins(settings, self._port)
        # One port names the cookie at both, so that a phone may move between owner and relay.
        make_gate = partial(
            ClassGate,
            services.classroom,
            services.catalog.find_run,
            activity=services.gate.activity,
            port=public.port if public else self._port,
        )
        gate = make_gate(trusted=settings.trusted)
        gate.addresses = [*shown, *near]
        config = ConnectionConfig(
            create_class_app(services, gate),
            ConnectionGate(self._limits, services.class_connections, trusted=settings.trusted),
            self._limits,
            lambda method, path, headers, peer: False,
            http=GuardedHttpProtocol,
            ws=ClassProtocol,
            find_session=gate.find_viewer,
        )
        server = self._server = QuietUvicorn(config)
        self._serving = asyncio.create_task(server.serve([listening]))
        await server.up.wait()
        loop, unsaved = asyncio.get_running_loop(), asyncio.Event()
        if self._lock is not None:
            services.classroom.save_before_telling(lambda: _call_on(loop, unsaved.set))
        self._saving = asyncio.create_task(self._save_often(unsaved))
        if settings.broker is not None:
            for_relays = make_gate()
            self._owner = Owner(create_class_app(services, for_relays), for_relays)
            await self._owner.start(settings.broker)
        await asyncio.to_thread(self._eased.enter_context, one_blas_thread())
        self._eased.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_SECONDS)
        services.class_listening.addresses = shown
        services.class_listening.listening = True

    async def _close(self) -> None:
        """Close everything that `_open` has opened, even after a partial start."""
        self._services.class_listening.listening = False
        self._eased.close()
        if self._owner is not None:
            await self._owner.stop()
        if self._saving is not None:
            self._saving.cancel()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await asyncio.gather(self._serving, return_exceptions=True)
            await asyncio.to_thread(self._services.classroom.save)
        self._services.classroom.save_before_telling(None)
        if self._listening is not None:
            self._listening.close()
        if self._lock is not None:
            self._lock.close()
        self._server = self._serving = self._saving = self._listening = self._lock = self._owner = None

    async def _save_often(self, unsaved: asyncio.Event) -> None:
        while True:
            # What could not be written is tried again later.
            with suppress(TimeoutError):
                async with asyncio.timeout(_SAVE_SECONDS):
                    await unsaved.wait()
            unsaved.clear()
            await asyncio.to_thread(self._services.classroom.save)
            await asyncio.sleep(_PAUSE_SECONDS)


class QuietUvicorn(uvicorn.Server):
    """A uvicorn server that leaves signals to the presenter's server, and reports when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.up.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _lock_class(folder: Path) -> RoleLock | None:
    """Lock the class of a folder of runs, which stores its viewers in a file; None if the folder is not writable
    and nothing is stored. Raises SettingsError if another server holds it.
    """
    try:
        return RoleLock(folder, ".class")
    except RoleTakenError as error:
        raise SettingsError(
            f"runs: another server has a class on {folder}: end it, or choose another folder with --runs"
        ) from error
    except READ_ERRORS:
        return None


def _call_on(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    # A thread may change the class after the loop has ended.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


def class_origins(settings: ClassSettings, port: int) -> tuple[list[Origin], list[Origin]]:
    """Return the addresses at which people reach the class, the likeliest first, and those of this machine itself, for
    trying out and for tests.
    """
    if (public := settings.public) is not None:
        return [public], []
    shown = _own_origins(settings.host, port)
    return shown, [one for one in sorted(loopback_origins(port), key=str) if one not in shown]


def _own_origins(host: str, port: int) -> list[Origin]:
    """Return the addresses at which people reach a listening host, the likeliest first."""
    if host not in _ANY_HOST:
        name = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return [Origin("http", "127.0.0.1" if is_loopback(host) else name, port)]
    # 0.0.0.0 listens only on IPv4.
    names = [name for name in find_own_addresses() if host == "::" or not name.startswith("[")]
    found = [Origin("http", name, port) for name in names]
    return found or [Origin("http", "127.0.0.1", port)]


def class_limits(limits: ConnectionLimits) -> tuple[ConnectionLimits, ConnectionLimits]:
    """Split the connections of a process: a quarter for the presenter, the rest for the class."""
    own = max(64, limits.total // 4)
    # A whole class may come from one address, behind a school's router.
    return replace(limits, total=own), replace(limits, total=max(8, limits.total - own), whole_share=True)
