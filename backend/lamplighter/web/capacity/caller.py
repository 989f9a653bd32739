"""The client that uses resources: the presenter, a class viewer, a pusher, this machine, or one address."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from lamplighter.platform.own_addresses import is_loopback

_IPV6_PREFIX = 64
"""Prefix length of an IPv6 network that one household or laptop controls; it chooses the remaining bits
freely.
"""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Caller:
    """The client of a request."""

    presenter: bool = False
    session: str | None = None
    """The session of a class viewer. It covers the viewer's requests from all addresses."""
    address: str | None = None
    """The address, or the pusher, whose requests are counted together; None for this machine, where all other clients share one."""


PRESENTER = Caller(presenter=True)
ANYONE = Caller()


def identify_caller(connection: HTTPConnection) -> Caller:
    if getattr(connection.state, "presenter", False):
        return PRESENTER
    session: str | None = getattr(connection.state, "viewer", None)
    if session is not None:
        return Caller(session=session)
    if (pusher := getattr(connection.state, "pusher", None)) is not None:
        return Caller(address=f"pusher {pusher.id}")
    return Caller(address=counted_address(connection.client.host if connection.client else None))


def counted_address(peer: str | None) -> str | None:
    """Return the address that a peer is counted under; None for this machine.

    A household or laptop has a whole IPv6 network, so a network counts as one address. But all machines in a
    room share the link-local network, so these addresses count separately.
    """
    if peer is None or is_loopback(peer):
        return None
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if not address.is_link_local:
            return str(ipaddress.IPv6Network((address, _IPV6_PREFIX), strict=False))
    return str(address)


def is_in_network(peer: str | None, network: Network) -> bool:
    """Return whether a peer's address is in a network; False if it is not an address."""
    try:
        return peer is not None and ipaddress.ip_address(peer.partition("%")[0]) in network
    except ValueError:
        return False
