"""The addresses at which others on the network can reach this machine, most likely first."""

from __future__ import annotations

import ipaddress
import socket
import threading
from contextlib import suppress

from lamplighter.platform.interface_addresses import Address, InterfaceAddress, read_interface_addresses

_SOMEWHERE = ("203.0.113.1", "2001:db8::1")
"""Addresses reserved for documentation: connecting a UDP socket sends nothing, but shows the local address."""
_KINDS = ("network", "virtual", "tunnel")
_NAME_WAIT = 1.0
"""Maximum seconds to resolve the machine's name."""


def find_own_addresses() -> list[str]:
    """Return this machine's addresses as hosts of a URL: IPv6 in brackets, names in lower case.

    The address of the default route comes first, unless it is a tunnel; IPv4 before IPv6; networks before virtual
    interfaces and tunnels; last comes `NAME.local`, if that name resolves to this machine. Loopback and link-local
    addresses are omitted, so the list is empty without a network.
    """
    listed = read_interface_addresses()
    addresses = rank_addresses(listed, find_default_routes())
    hosts = [write_host(one.address) for one in addresses]
    name = find_local_name({one.address for one in listed}) if listed else None
    return hosts if name is None else [*hosts, name]


def find_default_routes() -> list[Address]:
    """Return this machine's addresses on its default routes, for IPv4 and IPv6 if it has them."""
    found: list[Address] = []
    for family, somewhere in zip((socket.AF_INET, socket.AF_INET6), _SOMEWHERE, strict=True):
        with suppress(OSError, ValueError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((somewhere, 9))
            address = ipaddress.ip_address(str(asking.getsockname()[0]).partition("%")[0])
            if not address.is_unspecified and not address.is_loopback:
                found.append(address)
    return found


def rank_addresses(listed: list[InterfaceAddress], routes: list[Address]) -> list[InterfaceAddress]:
    """Return addresses without duplicates, the most likely to work for others on the network first. `routes`:
    addresses of default routes. One that is not listed counts as a network's.
    """
    known = {one.address for one in listed}
    unlisted = [InterfaceAddress(route, "", "network") for route in routes if route not in known]
    once = {one.address: one for one in [*unlisted, *listed]}
    return sorted(
        once.values(),
        key=lambda one: (
            _KINDS.index(one.kind),
            one.address.version,
            one.address not in routes,
            not one.address.is_private,
        ),
    )


def write_host(address: Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


def find_local_name(own: set[Address]) -> str | None:
    """Return this machine's name on the local network, if it resolves to one of its addresses."""
    name = f"{socket.gethostname().partition('.')[0].lower()}.local"
    found: list[Address] = []

    def resolve() -> None:
        with suppress(OSError, ValueError, UnicodeError):
            for *_, place in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM):
                found.append(ipaddress.ip_address(str(place[0]).partition("%")[0]))

    # Use a thread, because resolving has no timeout.
    asking = threading.Thread(target=resolve, daemon=True)
    asking.start()
    asking.join(_NAME_WAIT)
    return name if own & set(found) else None
