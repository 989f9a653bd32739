"""The addresses of this machine's network interfaces, from the operating system."""

from __future__ import annotations

import ctypes
import ipaddress
import re
import socket
import sys
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
