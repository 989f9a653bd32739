"""A machine that says what a test wants it to say; its clocks and its own addresses too."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lamplighter.doctor.network_probe import FirewallFacts, NetworkFacts, System
from lamplighter.platform.interface_addresses import Address, InterfaceAddress, classify_interface

LOOPBACK = ipaddress.ip_address("127.0.0.1")


def at(text: str, interface: str = "wlan0") -> InterfaceAddress:
    address = ipaddress.ip_address(text)
    return InterfaceAddress(address, interface, classify_interface(interface, 1, address))


def facts(*addresses: InterfaceAddress, routes: Sequence[str] = (), near: Sequence[str] = ()) -> NetworkFacts:
    return NetworkFacts(
        addresses=addresses,
        routes=tuple(map(ipaddress.ip_address, routes)),
        neighbours=frozenset(map(ipaddress.ip_address, near)),
    )


HOME = facts(at("192.168.1.7"), routes=["192.168.1.7"], near=["192.168.1.1"])


@dataclass
class FakeProbe:
    """A `NetworkProbe` for tests. Visitors from the loopback interface are phones, unless `own` has them."""

    views: list[NetworkFacts] = field(default_factory=lambda: [HOME])
    """The network, one look after the other; the last one stays."""
    firewall: FirewallFacts = field(default_factory=lambda: FirewallFacts("off", "the firewall"))
    system: System = "linux"
    own: frozenset[Address] = frozenset()
    sleeps: list[float] = field(default_factory=list[float])
    """Seconds that the machine sleeps before each reading of its clocks."""
    slow: float = 0.0
    """Seconds that reading the firewall takes."""
    _slept: float = 0.0

    def look_around(self) -> NetworkFacts:
        return self.views.pop(0) if len(self.views) > 1 else self.views[0]

    def read_firewall(self, port: int) -> FirewallFacts:
        time.sleep(self.slow)
        return self.firewall

    def read_clocks(self) -> tuple[float, float]:
        if self.sleeps:
            self._slept += self.sleeps.pop(0)
        return time.monotonic(), time.time() + self._slept

    def is_own(self, address: Address) -> bool:
        return address in self.own
