"""The addresses under which people on the same network reach this machine, the likeliest first."""

from __future__ import annotations

import ipaddress
import socket
import threading
from contextlib import suppress

from lamplighter.platform.interface_addresses import Address, InterfaceAddress, read_interface_addresses

_SOMEWHERE = ("203.0.113.1", "2001:db8::1")
"""Addresses kept for documents: the system says by which of its own it would go there, and sends nothing."""
_KINDS = ("network", "virtual", "tunnel")
_NAME_WAIT = 1.0
"""Seconds that the machine's own name may take to resolve."""


def find_own_addresses() -> list[str]:
    """Return this machine's addresses as they stand in the host of a URL: IPv6 in brackets, names in lower case.

    The address of the default route comes first, unless that leads through a tunnel; IPv4 comes before IPv6; networks
    before machines inside this one and tunnels. At the end stands `NAME.local`, if that name leads here. Loopback
    and link-local addresses are left out, so the list is empty on a machine without a network.
    """
    listed = read_interface_addresses()
    addresses = rank_addresses(listed, find_default_routes())
    hosts = [write_host(one.address) for one in addresses]
    name = find_local_name({one.address for one in listed}) if listed else None
    return hosts if name is None else [*hosts, name]


def find_default_routes() -> list[Address]:
    """Return the own addresses by which this machine goes out: of IPv4 and of IPv6, as far as it has each."""
    found: list[Address] = []
    for family, somewhere in zip((socket.AF_INET, socket.AF_INET6), _SOMEWHERE, strict=True):
        with suppress(OSError, ValueError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((somewhere, 9))
            address = ipaddress.ip_address(str(asking.getsockname()[0]).partition("%")[0])
            if not address.is_unspecified and not address.is_loopback:
                found.append(address)
    return found


def rank_addresses(listed: list[InterfaceAddress], routes: list[Address]) -> list[InterfaceAddress]:
    """Return addresses, the likeliest for somebody on the same network first, each once.

    Args:
        listed: those of the interfaces.
        routes: own addresses of default routes. One that is not listed counts as a network's.
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
    """Return an address as the host of a URL."""
    return f"[{address}]" if address.version == 6 else str(address)


def find_local_name(own: set[Address]) -> str | None:
    """Return this machine's name on the local network, if it resolves to an address of its own."""
    name = f"{socket.gethostname().partition('.')[0].lower()}.local"
    found: list[Address] = []

    def resolve() -> None:
        with suppress(OSError, ValueError, UnicodeError):
            for *_, place in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM):
                found.append(ipaddress.ip_address(str(place[0]).partition("%")[0]))

    # In a thread, because a resolver may take as long as it likes.
    asking = threading.Thread(target=resolve, daemon=True)
    asking.start()
    asking.join(_NAME_WAIT)
    return name if own & set(found) else None
