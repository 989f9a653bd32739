"""The interface to everything that the doctor asks of the machine it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from lamplighter.platform.interface_addresses import Address, InterfaceAddress

System = Literal["windows", "macos", "linux"]
Enclosure = Literal["machine", "container", "wsl"]
FirewallState = Literal["open", "closed", "on", "off", "none", "unknown"]


@dataclass(frozen=True)
class NetworkFacts:
    """The network of this machine at one moment, as far as the machine can tell."""

    addresses: tuple[InterfaceAddress, ...]
    """Its own addresses, the likeliest for a phone first."""
    routes: tuple[Address, ...]
    """Its own addresses by which it goes out: of IPv4 and of IPv6."""
    neighbours: frozenset[Address]
    """Machines on the same network that it has exchanged hardware addresses with."""
    name: str | None = None
    """Its name on the local network, if that leads here."""
    inside: Enclosure = "machine"
    """Where the program runs: on the machine itself, or in something inside it with a network of its own."""

    @property
    def in_network(self) -> tuple[InterfaceAddress, ...]:
        """Return the addresses in networks of other machines."""
        return tuple(one for one in self.addresses if one.kind == "network")


@dataclass(frozen=True)
class FirewallFacts:
    """The firewall of this machine, as far as its user may see it."""

    state: FirewallState
    """The port is open or closed in it; it is on, and its rules cannot be seen; it is off; none was found; nothing
    could be seen."""
    name: str = ""
    """Its name, as people know it."""


class NetworkProbe(Protocol):
    """The machine, as the doctor asks it. All of it may be called from any thread."""

    @property
    def system(self) -> System:
        """Return the kind of system, for the steps that help there."""
        ...

    def look_around(self) -> NetworkFacts:
        """Return the network as it is now. May take two seconds."""
        ...

    def read_firewall(self, port: int) -> FirewallFacts:
        """Return what the firewall does with a TCP port of this program. May take ten seconds."""
        ...

    def read_clocks(self) -> tuple[float, float]:
        """Return the seconds of the clock that only goes on, and of the clock on the wall."""
        ...

    def is_own(self, address: Address) -> bool:
        """Return whether an address is this machine's."""
        ...
