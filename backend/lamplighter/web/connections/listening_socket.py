"""The listening socket: it accepts a few connections at a time, and survives a lack of file descriptors.

When a process has no descriptor left, asyncio retries as often as the backlog is long, logs a traceback each time, and
starts again a second later: ten megabytes of log a second and a whole core. So this socket holds a spare descriptor. It
releases the spare one, accepts a connection with it, closes the connection and reopens the spare: the queue gets
shorter, the client is informed, and one log line a minute suffices.

Browsers that resolve `lamplighter.localhost` try 127.0.0.1 and ::1, in either order. The server listens on one of them; on a machine with
several users another user could listen on the other, and would receive what the browser sends. So the server holds
its port on the other address too, without listening: a connection there is refused at once, and the browser tries the
next address. If the port cannot be held, the name is not used.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from lamplighter.web.connections.connection_gate import ConnectionCounters
from lamplighter.web.settings import ServerSettings, SettingsError

log = logging.getLogger(__name__)

_PORTS_TRIED = 50
_STALLED_MS = 15_000
_SEND_BUFFER = 256 * 1024
_AT_ONCE = 8
"""Connections accepted before other work continues. The gate counts a connection a few turns of the event loop later,
and until then its descriptor is not within the limit."""
_LOG_SECONDS = 60.0
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class ListeningSocket(socket.socket):
    """A listening socket for an event loop."""

    def __init__(self, family: socket.AddressFamily, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self.counters = ConnectionCounters()
        """The counters of the server, set by the server."""
        self._clock = clock
        self._spare = _open_spare()
        self._accepted = 0
        self._gave_up = False
        self._logged = -_LOG_SECONDS

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection and its address. Raises BlockingIOError if there is none or enough were
        accepted for now, and OSError if descriptors or memory are short and there is no spare descriptor.
        """
        if self._accepted >= _AT_ONCE or self._gave_up:
            self._accepted, self._gave_up = 0, False
            raise BlockingIOError
        self._accepted += 1
        try:
            return super().accept()
        except BlockingIOError:
            self._accepted = 0
            raise
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            self._shed(error)
            self._accepted = 0
            raise BlockingIOError from None

    def close(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        super().close()

    def _shed(self, error: OSError) -> None:
        """Accept one connection with the spare descriptor and close it. Raises as `accept`; after an OSError the
        event loop listens again in a second.
        """
        if self._clock() - self._logged >= _LOG_SECONDS:
            self._logged = self._clock()
            log.warning(
                "%s: new connections are closed unread until there is room (%d so far)",
                error.strerror,
                self.counters.shed,
            )
        if self._spare is None:
            self._spare = _open_spare()
        if self._spare is None:
            # asyncio continues its loop after this connection; the next call ends it.
            self._gave_up = True
            raise error
        os.close(self._spare)
        self._spare = None
        try:
            accepted, _ = super().accept()
            accepted.close()
            self.counters.shed += 1
        finally:
            self._spare = _open_spare()


def ignore_accept_errors(loop: Any, context: dict[str, Any]) -> None:
    """Handle an event loop's errors, except a lack of descriptors, which `ListeningSocket` has logged."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in _EXHAUSTED and "accept" in str(context.get("message")):
        return
    loop.default_exception_handler(context)


def open_listener(host: str, port: int) -> ListeningSocket:
    """Open a listening socket on `port`, or on the next free port after it (0: on any). Raises SettingsError if
    the host is not this machine's, or no port in the range is free.
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
            # Connections inherit these options. The small buffer makes a viewer's lag visible here instead of in the
            # kernel; the timeout frees the socket of a peer that has stopped reading for good. Without Nagle's
            # algorithm, because the last piece of a response would wait 40 ms for the client to acknowledge the others.
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
                    f"port: {candidate} needs privileges that this user lacks; use 1024 or above"
                ) from error
            raise SettingsError(f"host: cannot listen on {host}: {error.strerror or error}") from error
        return listener
    raise SettingsError(
        f"port: no port from {port} to {min(65_535, port + _PORTS_TRIED - 1)} is free; name another, or 0 for any"
    )


def _open_spare() -> int | None:
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return None


_OTHER_LOOPBACK = {
    "127.0.0.1": (socket.AF_INET6, "::1"),
    "localhost": (socket.AF_INET6, "::1"),
    "::1": (socket.AF_INET, "127.0.0.1"),
    "[::1]": (socket.AF_INET, "127.0.0.1"),
}
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)
"""Errors of a machine without the other address, where no other program can use it either."""


@contextmanager
def hold_own_name(settings: ServerSettings, port: int) -> Generator[ServerSettings]:
    """Hold a server's port on the loopback address where it does not listen. Yields the settings, with `own_name`
    set if the name leads only here.
    """
    other = _OTHER_LOOPBACK.get(settings.host.lower())
    if other is None or settings.behind is not None:
        yield settings
        return
    holder: socket.socket | None = None
    try:
        holder = socket.socket(other[0], socket.SOCK_STREAM)
        # Without SO_REUSEADDR no other socket can bind the address; Windows needs an option for that.
        if exclusive := getattr(socket, "SO_EXCLUSIVEADDRUSE", None):
            holder.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        with suppress(OSError):
            if other[0] == socket.AF_INET6:
                holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        holder.bind((other[1], port))
        held = True
    except OSError as error:
        held = error.errno in _NO_SUCH_ADDRESS
    try:
        yield replace(settings, own_name=held)
    finally:
        if holder is not None:
            holder.close()
