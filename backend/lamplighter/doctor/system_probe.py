"""The machine that the doctor runs on, asked without an administrator's rights."""

from __future__ import annotations

import ipaddress
import platform
import re
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lamplighter.doctor.firewalls import read_linux_firewall, read_macos_firewall
from lamplighter.doctor.network_probe import Enclosure, FirewallFacts, NetworkFacts, System
from lamplighter.doctor.system_command import say_command
from lamplighter.doctor.windows_network import read_windows_firewall, read_windows_interfaces
from lamplighter.platform.interface_addresses import (
    Address,
    InterfaceAddress,
    classify_interface,
    read_interface_addresses,
)
from lamplighter.platform.own_addresses import find_default_routes, find_local_name, rank_addresses

_ARP_TABLE = Path("/proc/net/arp")
_ARP_COMPLETE = 0x2
_ARP_LINE = re.compile(
    r"\(?(?P<address>\d{1,3}(?:\.\d{1,3}){3})\)?\s+(?:at\s+)?(?P<hardware>[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5})\b",
    re.I,
)
_CONTAINER_SIGNS = (Path("/.dockerenv"), Path("/run/.containerenv"))


class SystemProbe:
    """The machine itself."""

    @property
    def system(self) -> System:
        """Return the kind of system."""
        return "windows" if sys.platform == "win32" else "macos" if sys.platform == "darwin" else "linux"

    def look_around(self) -> NetworkFacts:
        """Return the network as it is now."""
        routes = find_default_routes()
        addresses = read_interface_addresses()
        if sys.platform == "win32":
            told = read_windows_interfaces()
            addresses = [_name_interface(one, *told.get(one.address, ("", ""))) for one in addresses]
        return NetworkFacts(
            addresses=tuple(rank_addresses(addresses, routes)),
            routes=tuple(routes),
            neighbours=read_neighbours(),
            name=find_local_name({one.address for one in addresses}),
            inside=find_enclosure(),
        )

    def read_firewall(self, port: int) -> FirewallFacts:
        """Return what the firewall does with a TCP port of this program."""
        if sys.platform == "win32":
            return read_windows_firewall()
        if sys.platform == "darwin":
            return read_macos_firewall()
        return read_linux_firewall(port)

    def read_clocks(self) -> tuple[float, float]:
        """Return the seconds of the clock that only goes on, and of the clock on the wall."""
        return time.monotonic(), time.time()

    def is_own(self, address: Address) -> bool:
        """Return whether an address is this machine's."""
        return address.is_loopback or any(one.address == address for one in read_interface_addresses())


def _name_interface(one: InterfaceAddress, name: str, about: str) -> InterfaceAddress:
    return replace(one, interface=name, kind=classify_interface(about or name, 0, one.address))


def read_neighbours() -> frozenset[Address]:
    """Return the IPv4 addresses of machines on the same network whose hardware address this one knows."""
    if _ARP_TABLE.exists():
        return parse_arp_table(_ARP_TABLE.read_text("ascii", errors="replace"))
    return parse_arp_command(say_command("arp", "-a" if sys.platform == "win32" else "-an"))


def parse_arp_table(text: str) -> frozenset[Address]:
    """Return the addresses of the Linux kernel's table that have a hardware address."""
    found: set[Address] = set()
    for line in text.splitlines()[1:]:
        words = line.split()
        with suppress(ValueError, IndexError):
            if int(words[2], 16) & _ARP_COMPLETE:
                found.add(ipaddress.ip_address(words[0]))
    return frozenset(found)


def parse_arp_command(text: str) -> frozenset[Address]:
    """Return the addresses that `arp` lists with a hardware address, on macOS or Windows, in any language."""
    found: set[Address] = set()
    for match in _ARP_LINE.finditer(text):
        with suppress(ValueError):
            address = ipaddress.ip_address(match["address"])
            if not address.is_multicast and not match["hardware"].lower().startswith("ff"):
                found.add(address)
    return frozenset(found)


def find_enclosure() -> Enclosure:
    """Return where this program runs."""
    if "microsoft" in platform.release().lower():
        return "wsl"
    return "container" if any(sign.exists() for sign in _CONTAINER_SIGNS) else "machine"
