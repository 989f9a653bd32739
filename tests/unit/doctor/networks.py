"""Networks simulated by tests."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from lamplighter.cli.doctor.command import Network
from lamplighter.platform.own_addresses import InterfaceAddress, classify_interface


def at(text: str, interface: str = "wlan0") -> InterfaceAddress:
    address = ipaddress.ip_address(text)
    return InterfaceAddress(address, interface, classify_interface(interface, 1, address))


def network(*addresses: InterfaceAddress, routes: Sequence[str] = (), inside: str = "") -> Network:
    return Network(addresses, tuple(map(ipaddress.ip_address, routes)), inside=inside)


HOME = network(at("192.168.1.7"), routes=["192.168.1.7"])
