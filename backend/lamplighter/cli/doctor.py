"""The command `lamplighter doctor`: whether phones can reach this computer, and if not, why."""

from __future__ import annotations

import asyncio
import errno

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_line, print_qr_code
from lamplighter.doctor.diagnosis import Diagnosis, diagnose
from lamplighter.doctor.network_probe import NetworkFacts, NetworkProbe
from lamplighter.doctor.phone_page import PhonePage, list_page_hosts
from lamplighter.doctor.phone_wait import PhoneWait, wait_for_phone
from lamplighter.doctor.system_probe import SystemProbe
from lamplighter.loopback import is_loopback

_QUESTIONS = {
    "windows": "If Windows asks about Python and the firewall now: allow private networks.",
    "macos": "If macOS asks whether Python may accept incoming connections: allow it.",
}
NOT_SEEN, NOT_TRIED = 1, 2
"""Exit codes: no phone came; the doctor could not even wait for one."""


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
    """Find out whether phones can reach a class on this computer, and if not, why.

    Takes the class's port for so long, so the port must be free. Shows a QR code and waits for one phone. Says what it can rule out if none comes, what remains, and what to do. Ends
    with 0 if a phone came, 1 if none did, 2 if there is nothing to try.
    """
    try:
        return run_doctor(SystemProbe(), class_host, class_port, seconds)
    except OSError as error:
        print_line(f"lamplighter: {_say_why_not(error, class_host, class_port)}", err=True)
        return NOT_TRIED


def run_doctor(probe: NetworkProbe, host: str, port: int, seconds: float) -> int:
    """Wait for a phone and print what there is to say. Returns the exit code.

    Args:
        probe: the machine.
        host: the address to listen on.
        port: the port; 0 for any free one.
        seconds: how long to wait.

    Raises:
        OSError: the port cannot be listened on.
    """
    if is_loopback(host):
        print_line(f"lamplighter: {host} is this computer alone; leave --class-host out", err=True)
        return NOT_TRIED
    return asyncio.run(_wait_and_tell(probe, host, port, seconds))


async def _wait_and_tell(probe: NetworkProbe, host: str, port: int, seconds: float) -> int:
    before = probe.look_around()
    # Where a network has IPv6 only, the page is to be seen there; the advice says what that means for the class.
    host = "::" if host == "0.0.0.0" and _has_only_ipv6(before) else host
    page = PhonePage(probe, host, port)
    try:
        addresses = tuple(one.address for one in before.addresses)
        links = tuple(page.url(name) for name in list_page_hosts(addresses, before.name, host))
        if links:
            _print_way_in(links, seconds, _QUESTIONS.get(probe.system))
            wait = await wait_for_phone(probe, page, before, seconds)
        else:
            wait = await wait_for_phone(probe, page, before, 0)
    finally:
        page.close()
    if wait.visit is not None:
        _print_seen(wait, page)
        return 0
    _print_not_seen(wait, diagnose(wait, probe.system, page.port, links))
    return NOT_SEEN if links else NOT_TRIED


def _has_only_ipv6(facts: NetworkFacts) -> bool:
    return bool(facts.in_network) and all(one.address.version == 6 for one in facts.in_network)


def _print_way_in(links: tuple[str, ...], seconds: float, question: str | None) -> None:
    print_line(
        "Point the camera of one phone at this code. The phone must be in the same Wi-Fi as this computer."
    )
    print_line("")
    print_qr_code(links[0])
    print_line("")
    print_line(f"or type:  {links[0]}")
    if question:
        print_line(question)
    print_line(f"Waiting for {seconds:g} s; Ctrl-C ends it.")


def _print_seen(wait: PhoneWait, page: PhonePage) -> None:
    visit = wait.visit
    assert visit is not None
    print_line(f"seen: a phone at {visit.phone}, after {visit.seconds:.1f} s, at the address {visit.here}")
    print_line(f"A class can join over this network, on port {page.port}: lamplighter --classroom")
    if visit.here.version == 6:
        print_line("It came by IPv6: start the class with --class-host ::")


def _print_not_seen(wait: PhoneWait, diagnosis: Diagnosis) -> None:
    print_line("")
    print_line(f"no phone came in {wait.waited:.0f} s")
    if wait.opened_here:
        print_line(
            "(The page was opened on this computer itself. That says nothing about the network: use a phone.)"
        )
    if diagnosis.ruled_out:
        print_line("")
        print_line("It is not:")
        for line in diagnosis.ruled_out:
            print_line(f"  - {line}")
    print_line("")
    print_line("It may be, the likeliest first:")
    for number, suspect in enumerate(diagnosis.suspects, start=1):
        print_line(f"  {number}. {suspect.reason}")
        for step in suspect.steps:
            print_line(f"     > {step}")


def _say_why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is taken. If that is your class, the doctor needs its port for a moment: on your page, in "
            "Class, turn off that the class can reach this server. Otherwise choose another port for both with --class-port"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} may not be used here; choose one from 1024 on with --class-port"
    return f"cannot listen on {host}, port {port}: {error.strerror or error}"
