"""The firewalls of Linux and macOS, as far as they let a user see them."""

from __future__ import annotations

import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from lamplighter.doctor.network_probe import FirewallFacts, FirewallState
from lamplighter.doctor.system_command import say_command

_UFW = Path("/etc/ufw")
_MACOS_TOOL = "/usr/libexec/ApplicationFirewall/socketfilterfw"
_MACOS_NAME = "the firewall of macOS"


def read_linux_firewall(port: int, ufw: Path = _UFW) -> FirewallFacts:
    """Return the state of firewalld or ufw for a TCP port. Others, and rules written by hand, are not seen.

    Args:
        port: the port.
        ufw: the folder of ufw's configuration.
    """
    if shutil.which("firewall-cmd") and say_command("firewall-cmd", "--state").strip() == "running":
        ports = say_command("firewall-cmd", "--list-ports")
        state = "open" if is_port_listed(ports, port) else "closed" if ports.strip() else "on"
        return FirewallFacts(state, "firewalld")
    configured = ""
    with suppress(OSError):
        configured = (ufw / "ufw.conf").read_text("utf-8", errors="replace")
    if re.search(r"^\s*ENABLED\s*=\s*yes", configured, re.M | re.I):
        return FirewallFacts(_read_ufw_rules(ufw / "user.rules", port), "ufw")
    return FirewallFacts("none")


def is_port_listed(text: str, port: int) -> bool:
    """Return whether a list such as `22/tcp 1025-65535/tcp` has a TCP port."""
    for first, last in re.findall(r"(\d+)(?:-(\d+))?/tcp", text):
        if int(first) <= port <= int(last or first):
            return True
    return False


def _read_ufw_rules(rules: Path, port: int) -> FirewallState:
    """Return what ufw's own rules say of a port. Only an administrator may read them."""
    try:
        text = rules.read_text("utf-8", errors="replace")
    except OSError:
        return "on"
    for action, kind, ports, source in re.findall(
        r"^### tuple ### (\S+) (\S+) (\S+) \S+ \S+ (\S+)", text, re.M
    ):
        if kind in ("tcp", "any") and _has_port(ports, port):
            if not action.startswith(("allow", "limit")):
                return "closed"
            # For some addresses only: who is among them is not for us to guess.
            return "open" if source in ("0.0.0.0/0", "any", "::/0") else "on"
    return "closed"


def _has_port(ports: str, port: int) -> bool:
    if ports == "any":
        return True
    for part in ports.split(","):
        first, _, last = part.partition(":")
        if first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first):
            return True
    return False


def read_macos_firewall() -> FirewallFacts:
    """Return the state of the firewall of macOS for this program."""
    return parse_macos_firewall(
        say_command(_MACOS_TOOL, "--getglobalstate"),
        say_command(_MACOS_TOOL, "--getblockall"),
        say_command(_MACOS_TOOL, "--getappblocked", str(Path(sys.executable).resolve())),
    )


def parse_macos_firewall(on: str, block_all: str, program: str) -> FirewallFacts:
    """Return the state that `socketfilterfw` tells.

    Args:
        on: the answer to `--getglobalstate`.
        block_all: the answer to `--getblockall`.
        program: the answer to `--getappblocked` about this program.
    """
    number = re.search(r"State = (\d)", on)
    if number is None:
        return FirewallFacts("unknown", _MACOS_NAME)
    if number[1] == "0":
        return FirewallFacts("off", _MACOS_NAME)
    blocks_all = number[1] == "2" or bool(re.search(r"(State = 1|enabled|block all.*on)", block_all, re.I))
    if blocks_all or re.search(r"\bblocked\b", program):
        return FirewallFacts("closed", _MACOS_NAME)
    return FirewallFacts("open" if "permitted" in program else "on", _MACOS_NAME)
