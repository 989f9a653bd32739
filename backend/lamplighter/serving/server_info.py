"""The addresses and credentials of a server that is up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


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
    write_launch_file: Callable[[str | None], Path | None]
    """Writes a file that makes the browser that opens it the presenter's, with the code of `launch_url`, and opens the page on
    the run of an id, or on the last one; None if it can be written nowhere. It is removed once the code is spent."""
