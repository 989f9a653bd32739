"""The command `lamplighter doctor`: whether phones can reach this computer, and if not, what to check."""

from __future__ import annotations

import asyncio
import errno
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.doctor.phone_page import PhonePage
from lamplighter.cli.language import tell
from lamplighter.cli.terminal import print_line, print_qr_code
from lamplighter.platform.own_addresses import (
    Address,
    InterfaceAddress,
    find_default_routes,
    find_local_name,
    is_loopback,
    rank_addresses,
    read_interface_addresses,
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
    """Return the checks, the most likely cause first, of the network before and after the wait for a phone
    that did not open the page. `answered`: the addresses at which this computer itself reached it."""
    checks: list[Check] = []
    if after.inside:
        checks.append(
            Check(False, tell("in_wsl"), tell("start_in_windows"))
            if after.inside == "WSL"
            else Check(False, tell("in_container"), tell("publish_port", port=page.port))
        )
    old, new = before.shared[:1], after.shared[:1]
    if not old and not new:
        return [*checks, Check(False, tell("not_in_network"), tell("join_wifi"))]
    if old != new:
        was, now = ("".join(map(str, one)) for one in (old, new))
        return [*checks, Check(False, tell("address_changed", was=was, now=now), tell("start_again"))]
    checks.append(Check(True, tell("in_network", address=str(new[0]))))
    if tunnels := [one for one in after.addresses if one.kind == "tunnel" and one.address in after.routes]:
        names = ", ".join(sorted({one.interface or str(one.address) for one in tunnels}))
        checks.append(Check(False, tell("vpn_carries", names=names), tell("vpn_off")))
    else:
        checks.append(Check(True, tell("no_vpn")))
    if old[0] in answered:
        checks.append(Check(True, tell("page_answers", address=str(old[0]))))
    else:
        checks.append(Check(False, tell("page_silent", address=str(old[0])), tell("page_silent_step")))
    if before.only_ipv6:
        checks.append(Check(False, tell("only_ipv6"), tell("only_ipv6_step")))
    if page.strangers:
        names = ", ".join(sorted(map(str, page.strangers)))
        found = tell("strangers_tls" if page.asked_for_tls else "strangers", names=names)
        checks.append(Check(False, found, tell("strangers_step", path=page.path)))
    else:
        checks.append(Check(False, tell("nothing_came")))
    return checks


NOT_SEEN, NOT_TRIED = 1, 2
"""Exit codes: no phone came; there was nothing to wait for."""
_FIREWALL = {"win32": "firewall_windows", "darwin": "firewall_macos"}
"""The key of the sentence on the firewall, by platform; that of the others is of Linux."""


@click.command("doctor")
@common_options("class_host", "class_port")
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(1, 600),
    default=30,
    show_default=True,
    help="Seconds to wait for the phone.",
)
def doctor_command(runs_dir: object, class_host: str, class_port: int, seconds: float) -> int:
    """Check whether phones can reach a class on this computer, and list what to do if not.

    Uses the class's port, so the port must be free. Shows a QR code and waits for one phone. If none comes, prints a
    checklist of what this computer can test by itself. Exits with 0 if a phone came, 1 if none did, 2 if it cannot wait
    for one.
    """
    try:
        return run_doctor(class_host, class_port, seconds)
    except OSError as error:
        print_line(f"lamplighter: {_say_why_not(error, class_host, class_port)}", err=True)
        return NOT_TRIED


def run_doctor(
    host: str,
    port: int,
    seconds: float,
    *,
    read: Callable[[], Network] = read_network,
    open_page: Callable[[str, int], PhonePage] = PhonePage,
) -> int:
    """Wait for a phone and print the result. Return the exit code. `port`: 0 for any free one."""
    if is_loopback(host):
        print_line(f"lamplighter: {tell('only_this_computer', host=host)}", err=True)
        return NOT_TRIED
    before = read()
    # In a network with IPv6 only, the page listens on IPv6 too; the checklist says what that means for the class.
    host = "::" if host == "0.0.0.0" and before.only_ipv6 else host
    page = open_page(host, port)
    try:
        links = [page.url(name) for name in before.hosts(host)]
        if links:
            _print_way_in(links[0], seconds)
        answered = asyncio.run(_wait(page, before, seconds if links else 0))
    finally:
        page.close()
    if page.phone is not None:
        print_line(tell("phone_seen", phone=str(page.phone), address=str(page.reached_at)))
        print_line(tell("class_can_join", port=page.port))
        if page.phone.version == 6:
            print_line(tell("came_by_ipv6"))
        return 0
    _print_checks(check_network(before, read(), page, answered), page.port, links[1:])
    return NOT_SEEN if links else NOT_TRIED


async def _wait(page: PhonePage, network: Network, seconds: float) -> frozenset[Address]:
    """Serve the page until a phone opens it. Returns the addresses at which this computer itself reached the page."""
    server = await page.serve()
    try:
        answered = [one.address for one in network.addresses if await page.answers_at(one.address)]
        await page.wait_for_phone(seconds)
        return frozenset(answered)
    finally:
        server.close()


def _print_way_in(link: str, seconds: float) -> None:
    print_line(tell("point_camera"))
    print_line("")
    print_qr_code(link)
    print_line("")
    print_line(tell("or_type", link=link))
    if sys.platform in ("win32", "darwin"):
        print_line(tell("allow_python"))
    print_line(tell("waiting", seconds=seconds))


def _print_checks(checks: list[Check], port: int, other_links: list[str]) -> None:
    print_line("")
    print_line(tell("no_phone_came"))
    for check in checks:
        print_line(f"  {'ok' if check.passed else '!!'}  {check.found}")
        if check.step:
            print_line(f"      > {check.step}")
    print_line(tell("cannot_check"))
    for line in (
        tell("wifi_of_phone"),
        tell("wifi_itself"),
        tell(_FIREWALL.get(sys.platform, "firewall_linux"), port=port),
        *(tell("other_address", link=link) for link in other_links),
    ):
        print_line(f"  -   {line}")
    print_line(tell("more_in_docs"))


def _say_why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return tell("port_taken", port=port)
    if error.errno in (errno.EACCES, errno.EPERM):
        return tell("port_forbidden", port=port)
    return tell("cannot_listen", host=host, port=port, error=error.strerror or str(error))
