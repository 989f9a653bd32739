"""The addresses at which others on the network can reach this machine, most likely first."""

from __future__ import annotations

import ctypes
import ipaddress
import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
InterfaceKind = Literal["network", "virtual", "tunnel"]

_UP = 0x1
_POINT_TO_POINT = 0x10
_TUNNELS = re.compile(
    r"(tun|tap|utun|ppp|wg|ipsec|zt|tailscale|nordlynx|proton|mullvad|gpd|cscotun|warp|.*\b(vpn|wintun|wireguard|anyconnect|tunnel))",
    re.I,
)
_VIRTUAL = re.compile(
    r"(docker|veth|br-|virbr|vmnet|vboxnet|vnic|bridge|lxc|lxd|podman|cni|flannel|cali|awdl|llw)"
    r"|hyper-v|virtualbox|vmware",
    re.I,
)
# Carrier-grade NAT addresses; a laptop with one of these usually has it from a mesh VPN.
_SHARED = ipaddress.ip_network("100.64.0.0/10")


@dataclass(frozen=True)
class InterfaceAddress:
    """An address of this machine, with the network interface that has it."""

    address: Address
    interface: str
    """The system's name of the interface; empty if unknown (Windows)."""
    kind: InterfaceKind
    """The kind guessed from the name: a network, virtual machines inside this one, or a tunnel (VPN)."""


def read_interface_addresses() -> list[InterfaceAddress]:
    """Return the addresses at which other machines might reach this one, in the system's order.

    Omits loopback and link-local addresses, which no other machine's browser can use.
    """
    found: list[InterfaceAddress] = []
    listed = _ask_resolver() if sys.platform == "win32" else _ask_kernel()
    with suppress(OSError, AttributeError, ValueError):
        for text, interface, flags in listed:
            address = ipaddress.ip_address(text)
            if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
                continue
            found.append(InterfaceAddress(address, interface, classify_interface(interface, flags, address)))
    return list(dict.fromkeys(found))


def classify_interface(name: str, flags: int, address: Address) -> InterfaceKind:
    """Return the kind of an interface. `name`: the system's name, or the description (Windows), or "";
    `flags`: those of `getifaddrs`.
    """
    if _VIRTUAL.match(name):
        return "virtual"
    if _TUNNELS.match(name) or flags & _POINT_TO_POINT or address in _SHARED:
        return "tunnel"
    return "network"


def _ask_resolver() -> Iterator[tuple[str, str, int]]:
    """Yield the addresses that this machine's name resolves to; on Windows these are all it has."""
    for *_, place in socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM):
        yield str(place[0]).partition("%")[0], "", _UP


class _Ifaddrs(ctypes.Structure):
    """An entry of the list from `getifaddrs`; its head is the same on Linux and macOS."""


_Ifaddrs._fields_ = [  # pyright: ignore[reportPrivateUsage]
    ("ifa_next", ctypes.POINTER(_Ifaddrs)),
    ("ifa_name", ctypes.c_char_p),
    ("ifa_flags", ctypes.c_uint),
    ("ifa_addr", ctypes.c_void_p),
]


def _ask_kernel() -> Iterator[tuple[str, str, int]]:
    """Yield address, interface and flags of every interface that is up. Raises OSError or AttributeError if
    the C library lacks `getifaddrs`, or it failed.
    """
    library = ctypes.CDLL(None, use_errno=True)
    first = ctypes.POINTER(_Ifaddrs)()
    if library.getifaddrs(ctypes.byref(first)) != 0:
        raise OSError(ctypes.get_errno(), "getifaddrs")
    try:
        entry = first
        while entry:
            facts = entry.contents
            if facts.ifa_addr and facts.ifa_flags & _UP:
                text = _read_socket_address(facts.ifa_addr)
                if text is not None:
                    yield text, (facts.ifa_name or b"").decode(errors="replace"), int(facts.ifa_flags)
            entry = facts.ifa_next
    finally:
        library.freeifaddrs(first)


def _read_socket_address(place: int) -> str | None:
    """Return the address in a C `sockaddr` as text; None for families other than IPv4 and IPv6."""
    head = ctypes.string_at(place, 2)
    # BSD systems, including macOS, put a length before the family.
    family = (
        head[1] if sys.platform == "darwin" or "bsd" in sys.platform else int.from_bytes(head, sys.byteorder)
    )
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, ctypes.string_at(place + 4, 4))
    if family == socket.AF_INET6:
        return socket.inet_ntop(socket.AF_INET6, ctypes.string_at(place + 8, 16))
    return None


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


DEFAULT_PORT = 8600
LOCAL_ADDRESS = f"http://127.0.0.1:{DEFAULT_PORT}"
"""The default address of a server on this machine."""


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is a loopback one."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
