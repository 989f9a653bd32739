"""The client that a share of the server is counted for: the presenter, this machine, or one address."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from lamplighter.loopback import is_loopback

_IPV6_PREFIX = 64
"""Bits of an IPv6 address that one household or laptop shares; it chooses the others as it likes."""


@dataclass(frozen=True)
class Caller:
    """The client of a request."""

    presenter: bool = False
    address: str | None = None
    """The address whose requests are counted together; None for this machine, where all have the same."""


PRESENTER = Caller(presenter=True)
ANYONE = Caller()


def identify_caller(connection: HTTPConnection) -> Caller:
    """Return the client of a request that the gate has let in."""
    if getattr(connection.state, "presenter", False):
        return PRESENTER
    peer = connection.client.host if connection.client else None
    if peer is None or is_loopback(peer):
        return ANYONE
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return Caller(address=peer)
    if address.version == 6:
        return Caller(address=str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False)))
    return Caller(address=str(address))
