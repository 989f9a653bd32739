"""The checks that this computer can run by itself when no phone has come."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from lamplighter.cli.doctor.phone_page import PhonePage
from lamplighter.platform.interface_addresses import Address, InterfaceAddress, read_interface_addresses
from lamplighter.platform.own_addresses import (
    find_default_routes,
    find_local_name,
    rank_addresses,
    write_host,
)

_CONTAINER_SIGNS = (Path("/.dockerenv"), Path("/run/.containerenv"))


@dataclass(frozen=True)
class Network:
    """The network of this computer at one time."""

    addresses: tuple[InterfaceAddress, ...]
    """Its addresses, the best one for a phone first."""
    routes: tuple[Address, ...]
    """Its addresses on the default routes of IPv4 and IPv6."""
    name: str | None = None
    """Its name on the local network, if the name resolves to this computer."""
    inside: str = ""
    """`WSL` or `a container` if the program runs in one with a separate network; else empty."""

    @property
    def shared(self) -> tuple[Address, ...]:
        """Return the addresses that other machines may reach."""
        return tuple(one.address for one in self.addresses if one.kind == "network")

    @property
    def only_ipv6(self) -> bool:
        """Return whether the computer is in a network with IPv6 addresses only."""
        return bool(self.shared) and all(one.version == 6 for one in self.shared)

    def hosts(self, listening: str) -> list[str]:
        """Return the hosts at which a page can be opened, in URL form, the likeliest first."""
        plain = listening.strip("[]")
        if plain not in ("0.0.0.0", "::"):
            return [f"[{plain}]" if ":" in plain else plain]
        reached = [one.address for one in self.addresses if plain == "::" or one.address.version == 4]
        return [write_host(one) for one in reached] + ([self.name] if self.name and reached else [])


@dataclass(frozen=True)
class Check:
    """A check and its result."""

    passed: bool
    found: str
    """The finding, as a sentence."""
    step: str = ""
    """The step to take if it failed."""


def read_network() -> Network:
    """Return the current network. Takes up to a second."""
    routes, listed = find_default_routes(), read_interface_addresses()
    inside = "WSL" if "microsoft" in platform.release().lower() else ""
    if any(sign.exists() for sign in _CONTAINER_SIGNS):
        inside = "a container"
    name = find_local_name({one.address for one in listed})
    return Network(tuple(rank_addresses(listed, routes)), tuple(routes), name, inside)


def check_network(
    before: Network, after: Network, page: PhonePage, answered: frozenset[Address]
) -> list[Check]:
    """Return the checks, the most likely cause first.

    Args:
        before: the network at the start of the wait.
        after: the network at its end.
        page: the page that no phone has opened.
        answered: the addresses at which this computer itself reached the page.
    """
    checks: list[Check] = []
    if after.inside:
        step = (
            "Start Lamplighter in Windows itself." if after.inside == "WSL" else f"Publish port {page.port}."
        )
        checks.append(Check(False, f"Lamplighter runs in {after.inside}, which phones cannot reach.", step))
    old, new = before.shared[:1], after.shared[:1]
    if not old and not new:
        return [*checks, Check(False, "This computer is not in a network.", "Join the Wi-Fi of the phones.")]
    if old != new:
        was, now = old[0] if old else "missing", new[0] if new else "gone"
        found = f"This computer's address was {was}, and is now {now}."
        return [*checks, Check(False, found, "Start the doctor again.")]
    checks.append(Check(True, f"This computer is in a network, at {new[0]}."))
    if tunnels := [one for one in after.addresses if one.kind == "tunnel" and one.address in after.routes]:
        names = ", ".join(sorted({one.interface or str(one.address) for one in tunnels}))
        found = f"A VPN ({names}) carries this computer's traffic."
        checks.append(Check(False, found, "Switch it off, here and on the phone."))
    else:
        checks.append(Check(True, "No VPN that this computer can see carries its traffic."))
    if old[0] in answered:
        checks.append(Check(True, f"The page answers at {old[0]} on this computer itself."))
    else:
        step = "Switch off a VPN or a security suite, or try another port: --class-port 8080."
        checks.append(Check(False, f"The page does not answer at {old[0]}, even on this computer.", step))
    if before.only_ipv6:
        step = "Start the class with --class-host :: and type the square brackets of the address too."
        checks.append(Check(False, "This network gives IPv6 addresses only.", step))
    if page.strangers:
        how = "by https, but the page uses http" if page.asked_for_tls else "but did not open the page"
        found = f"Something at {', '.join(sorted(map(str, page.strangers)))} came {how}."
        step = (
            f"If it is your phone, type the whole address, with http:// in front and /{page.path} at the end."
        )
        checks.append(Check(False, found, step))
    else:
        checks.append(Check(False, "Nothing on the network has reached this computer."))
    return checks
