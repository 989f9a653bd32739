"""Hosts and origins as (scheme, host, port), parsed and compared as a whole, never by pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

Scheme = Literal["http", "https"]
_PORTS: dict[str, int] = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")


OWN_NAME = "lamplighter.localhost"
"""A host name that browsers resolve to this machine, under which no other program sees our cookie."""


class OriginError(ValueError):
    """A text that is not a valid host or origin."""


@dataclass(frozen=True)
class Origin:
    """An origin at which a server is reached."""

    scheme: Scheme
    host: str
    """In lower case; an IPv6 address in brackets."""
    port: int

    @property
    def authority(self) -> str:
        """Return host and port as in a URL, without the scheme's default port."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def parse_origin(text: str) -> Origin:
    """Read `scheme://host[:port]`, as browsers write an `Origin`. Raises OriginError for anything else (a path, a
    user, `null`).
    """
    scheme, mark, authority = text.partition("://")
    scheme = scheme.lower()
    if not mark or scheme not in _PORTS:
        raise OriginError(f"not an address: {text[:80]!r}")
    return parse_authority(authority, cast(Scheme, scheme))


def parse_authority(text: str, scheme: Scheme = "http") -> Origin:
    """Read `host[:port]`, as in a `Host` header. Raises OriginError for anything else."""
    lowered = text.lower()
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?", lowered)
    if match is None or not _HOST.fullmatch(match[1]):
        raise OriginError(f"not a host: {text[:80]!r}")
    port = int(match[2]) if match[2] else _PORTS[scheme]
    if not 0 < port <= 65_535:
        raise OriginError(f"not a port: {port}")
    return Origin(scheme, match[1], port)


def loopback_origins(port: int) -> frozenset[Origin]:
    """Return the origins that reach `port` only from this machine."""
    return frozenset(Origin("http", host, port) for host in ("127.0.0.1", "localhost", "[::1]"))
