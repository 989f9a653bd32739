"""The diagnosis of a wait in which no phone came: what it was not, and what it may have been."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from lamplighter.doctor.advice import Cause, list_advice
from lamplighter.doctor.network_probe import FirewallFacts, NetworkFacts, System
from lamplighter.doctor.phone_wait import PhoneWait
from lamplighter.platform.interface_addresses import Address


@dataclass(frozen=True)
class Suspect:
    """A cause that is not ruled out."""

    cause: Cause
    reason: str
    """A sentence that says what was seen of it."""
    steps: tuple[str, ...]
    """Things to do about it, the first to try first."""


@dataclass(frozen=True)
class Diagnosis:
    """The result of a wait without a phone."""

    ruled_out: tuple[str, ...]
    """Causes that it was not, each with the reason, a line each."""
    suspects: tuple[Suspect, ...]
    """Causes that it may have been, the likeliest first."""


def diagnose(wait: PhoneWait, system: System, port: int, links: tuple[str, ...]) -> Diagnosis:
    """Return what a wait without a phone tells.

    Args:
        wait: all that was seen.
        system: the kind of system that this machine has.
        port: the port of the page.
        links: the page's addresses, the likeliest first.
    """
    examination = _Examination(wait, system, port, links)
    examination.examine_place()
    if examination.in_network:
        examination.examine_time()
        examination.examine_visits()
        examination.examine_routes()
        examination.examine_addresses()
        examination.examine_walls()
    return Diagnosis(tuple(examination.ruled_out), tuple(examination.suspects))


class _Examination:
    """The causes, one after the other."""

    def __init__(self, wait: PhoneWait, system: System, port: int, links: tuple[str, ...]) -> None:
        self.ruled_out: list[str] = []
        self.suspects: list[Suspect] = []
        self.in_network = bool(wait.before.in_network or wait.after.in_network)
        self._wait = wait
        self._system: System = system
        self._port = port
        self._links = links

    def examine_place(self) -> None:
        """Check that this program is in a network at all."""
        facts = self._wait.after
        if facts.inside == "container":
            self._suspect(
                "container", "Lamplighter runs in a container, which has addresses of its own inside."
            )
        elif facts.inside == "wsl":
            self._suspect(
                "wsl", "Lamplighter runs inside WSL: phones reach Windows, not what runs inside it."
            )
        if not self.in_network:
            self._suspect("no_network", "This computer is in no network that a phone could be in.")
        elif facts.in_network:
            first = facts.in_network[0]
            at = f" ({first.interface})" if first.interface else ""
            self.ruled_out.append(f"no network: this computer is at {first.address}{at}")

    def examine_time(self) -> None:
        """Check that the machine stayed awake, and at its address."""
        wait = self._wait
        if wait.slept:
            self._suspect(
                "slept", f"This computer slept for about {wait.slept:.0f} s meanwhile, or its clock was set."
            )
        else:
            self.ruled_out.append("sleep: this computer's clocks went on together")
        before, after = _first(wait.before), _first(wait.after)
        if before != after:
            self._suspect(
                "address_changed", f"This computer's address was {before}, and is now {after or 'gone'}."
            )

    def examine_visits(self) -> None:
        """Look for others that reached the port, but not the page."""
        wait = self._wait
        if wait.strangers:
            who = ", ".join(map(str, wait.strangers))
            if wait.asked_for_tls:
                self._suspect("wants_tls", f"Something at {who} came with https, and the page has http.")
            else:
                self._suspect("half_way", f"Something at {who} reached the port, and did not open the page.")

    def examine_routes(self) -> None:
        """Check that no tunnel takes what leaves this machine."""
        facts = self._wait.after
        tunnels = [one for one in facts.addresses if one.kind == "tunnel"]
        taken = [one for one in tunnels if one.address in facts.routes]
        if taken:
            names = ", ".join(sorted({one.interface or str(one.address) for one in taken}))
            self._suspect("vpn", f"A VPN ({names}) takes what leaves this computer.")
        elif tunnels:
            self.ruled_out.append("a VPN: one is up, and leaves the rest of the network alone")
        else:
            self.ruled_out.append("a VPN: none is seen")

    def examine_addresses(self) -> None:
        """Check that the address is one that phones can use."""
        wait = self._wait
        here = wait.before.in_network
        if not any(one.address.version == 4 for one in here):
            self._suspect("ipv6_only", "This network gives this computer IPv6 addresses only.")
        else:
            self.ruled_out.append("IPv6 only: there is an IPv4 address")
        silent = [one.address for one in here[:1] if one.address not in wait.answered]
        if silent:
            self._suspect(
                "not_answering", f"The page does not answer at {silent[0]}, not even on this computer itself."
            )
        elif len(self._links) <= 1:
            self.ruled_out.append(
                "a wrong address: the page answers there on this computer, which has no other"
            )

    def examine_walls(self) -> None:
        """Look for what stands between the phone and this machine: the firewall, and the Wi-Fi itself."""
        wait = self._wait
        firewall = wait.firewall
        near = sorted(str(one) for one in _new_neighbours(wait))
        if wait.strangers:
            self.ruled_out.append("the firewall and the Wi-Fi: they let somebody through")
        else:
            if firewall.state in ("off", "open", "none"):
                self.ruled_out.append(_say_no_firewall(firewall))
            else:
                seen = (
                    f" {near[0]} turned up beside this computer meanwhile, so the Wi-Fi lets it through."
                    if near
                    else ""
                )
                self._suspect("firewall", _say_firewall(firewall, self._port) + seen)
        if len(self._links) > 1:
            self._suspect("other_address", "The phone may be nearer to another address of this computer.")
        if not wait.strangers:
            seen = (
                f" (But {near[0]} turned up beside this computer meanwhile: if that is the phone, they do not.)"
                if near
                else ""
            )
            self._suspect(
                "isolation", f"The Wi-Fi may keep its guests apart, or the phone is in another network.{seen}"
            )

    def _suspect(self, cause: Cause, reason: str) -> None:
        steps = list_advice(cause, self._system, self._port, self._links[1:])
        self.suspects.append(Suspect(cause, reason, steps))


def _first(facts: NetworkFacts) -> Address | None:
    return facts.in_network[0].address if facts.in_network else None


def _new_neighbours(wait: PhoneWait) -> set[Address]:
    """Return the machines that turned up beside this one while it waited."""
    # A hardware address is known of neighbours alone; those of machines inside this one do not count.
    inside = [one.address for one in wait.after.addresses if one.kind != "network"]
    near = [ipaddress.ip_network(f"{one}/24", strict=False) for one in inside if one.version == 4]
    new = wait.after.neighbours - wait.before.neighbours
    return {one for one in new if not any(one in network for network in near)}


def _say_no_firewall(firewall: FirewallFacts) -> str:
    if firewall.state == "none":
        return (
            "this computer's firewall: neither ufw nor firewalld is on (rules written by hand are not seen)"
        )
    return (
        f"this computer's firewall: {firewall.name} {'is off' if firewall.state == 'off' else 'lets it in'}"
    )


def _say_firewall(firewall: FirewallFacts, port: int) -> str:
    if firewall.state == "closed":
        return f"{_capitalise(firewall.name)} lets nobody in on port {port}."
    if firewall.state == "on":
        return f"{_capitalise(firewall.name)} is on, and whether it lets port {port} in cannot be seen from here."
    return "This computer's firewall may stand in the way: nothing could be seen of it."


def _capitalise(name: str) -> str:
    return name[:1].upper() + name[1:]
