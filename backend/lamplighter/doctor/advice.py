"""The steps that help against each cause, in plain words, for each system."""

from __future__ import annotations

from typing import Literal

from lamplighter.doctor.network_probe import System

Cause = Literal[
    "no_network",
    "container",
    "wsl",
    "slept",
    "address_changed",
    "half_way",
    "wants_tls",
    "vpn",
    "firewall",
    "not_answering",
    "ipv6_only",
    "other_address",
    "isolation",
]
"""A reason for which a phone does not reach this machine."""

_AWAKE: dict[System, tuple[str, ...]] = {
    "windows": (
        "Settings > System > Power: choose Never for sleep while plugged in, and leave the lid open.",
    ),
    "macos": ("Start the class with `caffeinate -dims lamplighter --classroom`, and leave the lid open.",),
    "linux": (
        "Start the class with `systemd-inhibit --what=idle:sleep:handle-lid-switch lamplighter --classroom`.",
    ),
}
_FIREWALL: dict[System, tuple[str, ...]] = {
    "windows": (
        "Settings > Network & internet > Wi-Fi > your network: choose Private network. Windows asks for Python once; "
        "answer for private networks.",
        "If it does not ask: Windows Security > Firewall & network protection > Allow an app through firewall > "
        "Change settings: tick Private beside Python.",
        "Or in a terminal as administrator: netsh advfirewall firewall add rule name=Lamplighter dir=in action=allow "
        "protocol=TCP localport={port} profile=private",
    ),
    "macos": (
        "System Settings > Network > Firewall > Options: switch off Block all incoming connections, and let Python "
        "(or your terminal) accept incoming connections.",
    ),
    "linux": (
        "With ufw: sudo ufw allow {port}/tcp (and after the lesson: sudo ufw delete allow {port}/tcp).",
        "With firewalld: sudo firewall-cmd --add-port={port}/tcp, which holds until the next restart.",
    ),
}
_HOTSPOT: dict[System, str] = {
    "windows": "Settings > Network & internet > Mobile hotspot",
    "macos": "System Settings > General > Sharing > Internet Sharing",
    "linux": "the network settings > Wi-Fi > Turn on hotspot",
}
_EVERYWHERE: dict[Cause, tuple[str, ...]] = {
    "no_network": (
        "Join the Wi-Fi that the phones are in, or a phone's hotspot. Then start the doctor again.",
    ),
    "container": (
        "Publish the port (docker run -p {port}:{port}), or use the profile class of docker-compose.yml.",
        "Phones open the address of the machine around the container.",
    ),
    "wsl": (
        "Easiest: install and start Lamplighter in Windows itself.",
        "Or, in Windows 11: write networkingMode=mirrored under [wsl2] in the file .wslconfig of your user's folder, "
        "run wsl --shutdown, and start again.",
    ),
    "address_changed": (
        "Start the doctor again: the new code holds the new address.",
        "If it changes again, let this computer forget the other Wi-Fi networks that it knows here.",
    ),
    "half_way": (
        "If that is your phone, the network lets it through: type the whole address, with http:// in front and all "
        "that stands after the last slash.",
    ),
    "wants_tls": (
        "Type http:// in front of the address, and switch off HTTPS-only mode (Always use secure connections) in the "
        "phone's browser. Or put TLS in front: docs/classroom.md tells how.",
    ),
    "vpn": (
        "Switch the VPN off for the lesson, here and on the phone; or allow the local network in its settings.",
    ),
    "not_answering": (
        "Some other program stands before this computer's network: a VPN or a security suite. Switch it off, or try "
        "another port: --class-port 8080.",
    ),
    "ipv6_only": (
        "Start the class with --class-host :: and let people type the square brackets too. Phones that have IPv4 only "
        "need another network.",
    ),
}


def list_advice(cause: Cause, system: System, port: int, links: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the steps against a cause, the first to try first.

    Args:
        cause: the reason.
        system: the kind of system that this machine has.
        port: the port of the class.
        links: further addresses of the page.
    """
    if cause == "slept":
        steps = _AWAKE[system]
    elif cause == "firewall":
        steps = _FIREWALL[system]
    elif cause == "other_address":
        steps = (f"Open one of these on the phone: {'  '.join(links)}",)
    elif cause == "isolation":
        steps = (
            "Look at the phone: it must be in the same Wi-Fi as this computer, by name, and mobile data switched off.",
            "Guest and school networks often keep devices apart, and no computer can see that. Ask who runs it to "
            "switch off client isolation (AP isolation, guest mode) for a lesson, or to name a network without it.",
            f"Or make a network of your own: {_HOTSPOT[system]}; a phone's hotspot, for ten or so; a small router of "
            "your own, for a class. It needs no internet.",
        )
    else:
        steps = _EVERYWHERE[cause]
    return tuple(step.format(port=port) for step in steps)
