"""The name `lamplighter.localhost`, offered only while it is certain to lead to this server.

Browsers that resolve it try 127.0.0.1 and ::1, in either order. The server listens on one of them; on a machine with
several users another user could listen on the other, and would receive what the browser sends. So the server holds its
port on the other address too, without listening: a connection there is refused at once, and the browser tries the next
address. If the port cannot be held, the name is not used.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace

from lamplighter.web.settings import ServerSettings

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
