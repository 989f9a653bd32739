"""Firewalls, adapters and neighbours as the systems' own tools tell of them, read from samples of their answers."""

from __future__ import annotations

import ipaddress
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lamplighter.doctor.firewalls import is_port_listed, parse_macos_firewall, read_linux_firewall
from lamplighter.doctor.system_command import say_command
from lamplighter.doctor.system_probe import SystemProbe, parse_arp_command, parse_arp_table
from lamplighter.doctor.windows_network import parse_windows_firewall, parse_windows_interfaces
from lamplighter.platform.interface_addresses import classify_interface


def windows(networks: list[int], rules: list[tuple[int, int]], on: int = 1, otherwise: int = 4) -> str:
    profiles = [{"name": name, "on": on, "otherwise": otherwise} for name in ("Domain", "Private", "Public")]
    listed = [{"action": action, "profiles": where} for action, where in rules]
    return json.dumps({"networks": networks, "profiles": profiles, "rules": listed})


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (windows([1], []), "on"),
        (windows([1], [(2, 2)]), "open"),
        (windows([1], [(2, 4)]), "on"),
        (windows([0], [(2, 2), (4, 4)]), "closed"),
        (windows([1], [(2, 0)]), "open"),
        (windows([1], [(2, 6), (4, 6)]), "closed"),
        (windows([1], [], on=0), "off"),
        (windows([1], [], otherwise=2), "open"),
        (windows([0, 1], [(2, 2)]), "on"),
        (windows([], []), "unknown"),
        (windows([7], []), "unknown"),
        ("", "unknown"),
        ("null", "unknown"),
        ('{"networks": null}', "unknown"),
    ],
)
def test_windows_says_by_numbers_what_its_firewall_does(text: str, state: str):
    assert parse_windows_firewall(text).state == state


def test_windows_names_the_kind_of_network():
    assert "Public" in parse_windows_firewall(windows([0], [])).name


def test_windows_describes_its_adapters():
    listed: list[dict[str, Any]] = [
        {"address": "fe80::1%12", "name": "Wi-Fi", "about": "Intel(R) Wi-Fi 6 AX201"},
        {"address": "192.168.1.7", "name": "Wi-Fi", "about": "Intel(R) Wi-Fi 6 AX201"},
        {"address": "10.8.0.2", "name": "Ethernet 3", "about": "TAP-Windows Adapter V9"},
        {"address": "127.0.0.1", "name": "Loopback", "about": None},
        {"address": "nonsense"},
    ]
    found = parse_windows_interfaces(json.dumps(listed))
    tap = ipaddress.ip_address("10.8.0.2")
    assert found[tap] == ("Ethernet 3", "TAP-Windows Adapter V9")
    assert classify_interface(found[tap][1], 0, tap) == "tunnel"
    assert classify_interface(found[ipaddress.ip_address("192.168.1.7")][1], 0, tap) == "network"
    assert parse_windows_interfaces(json.dumps(listed[1])) != {}
    assert parse_windows_interfaces("") == parse_windows_interfaces("7") == {}


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ("Realtek PCIe GbE Family Controller", "network"),
        ("Hyper-V Virtual Ethernet Adapter", "virtual"),
        ("WireGuard Tunnel", "tunnel"),
        ("Fortinet SSL VPN Virtual Ethernet Adapter", "tunnel"),
        ("Cisco AnyConnect Virtual Miniport Adapter for Windows x64", "tunnel"),
    ],
)
def test_an_adapter_is_known_by_its_description(about: str, kind: str):
    assert classify_interface(about, 0, ipaddress.ip_address("10.0.0.1")) == kind


@pytest.mark.parametrize(
    ("on", "block_all", "program", "state"),
    [
        ("Firewall is disabled. (State = 0)", "", "", "off"),
        (
            "Firewall is enabled. (State = 1)",
            "Block all DISABLED!",
            "The application is not part of the firewall",
            "on",
        ),
        (
            "Firewall is enabled. (State = 1)",
            "Firewall has block all state set to disabled.",
            "Incoming connection to the application is permitted",
            "open",
        ),
        (
            "Firewall is enabled. (State = 1)",
            "",
            "Incoming connection to the application is blocked",
            "closed",
        ),
        ("Firewall is blocking all non-essential incoming connections. (State = 2)", "", "", "closed"),
        ("Firewall is enabled. (State = 1)", "Firewall has block all state set to enabled.", "", "closed"),
        ("", "", "", "unknown"),
    ],
)
def test_macos_says_it_in_sentences(on: str, block_all: str, program: str, state: str):
    assert parse_macos_firewall(on, block_all, program).state == state


RULES = """*filter
### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### allow tcp 8000:8700 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### deny any 9000 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### allow any 9100 0.0.0.0/0 any 10.0.0.0/8 in
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ufw is Linux's")
@pytest.mark.parametrize(
    ("port", "state"), [(22, "open"), (8601, "open"), (9000, "closed"), (9100, "on"), (80, "closed")]
)
def test_ufw_is_read_from_its_files(port: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_linux_firewall(port, tmp_path).state == "none"
    (tmp_path / "ufw.conf").write_text("# comment\nENABLED=no\n")
    assert read_linux_firewall(port, tmp_path).state == "none"
    (tmp_path / "ufw.conf").write_text("ENABLED=yes\n")
    # Its rules are an administrator's to read.
    assert read_linux_firewall(port, tmp_path).state == "on"
    (tmp_path / "user.rules").write_text(RULES)
    assert read_linux_firewall(port, tmp_path).state == state


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    ("ports", "state"), [("22/tcp 1025-65535/tcp 53/udp", "open"), ("22/tcp", "closed"), ("", "on")]
)
def test_firewalld_is_asked(ports: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tool = tmp_path / "firewall-cmd"
    tool.write_text(f'#!/bin/sh\n[ "$1" = --state ] && echo running || echo "{ports}"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert read_linux_firewall(8601, tmp_path).state == state


def test_a_range_of_udp_is_none_of_tcp():
    assert not is_port_listed("8000-9000/udp", 8601)


def test_neighbours_are_those_with_a_hardware_address():
    linux = (
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "192.168.1.1      0x1         0x2         00:11:22:33:44:55     *        wlan0\n"
        "192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        wlan0\n"
    )
    macos = (
        "? (192.168.1.1) at 0:11:22:33:44:55 on en0 ifscope [ethernet]\n"
        "? (192.168.1.9) at (incomplete) on en0 ifscope [ethernet]\n"
        "? (192.168.1.255) at ff:ff:ff:ff:ff:ff on en0 ifscope [ethernet]\n"
        "? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]\n"
    )
    windows = (
        "Schnittstelle: 192.168.1.7 --- 0x5\n"
        "  Internetadresse       Physische Adresse     Typ\n"
        "  192.168.1.1           00-11-22-33-44-55     dynamisch\n"
        "  192.168.1.255         ff-ff-ff-ff-ff-ff     statisch\n"
    )
    router = {ipaddress.ip_address("192.168.1.1")}
    assert parse_arp_table(linux) == router
    assert parse_arp_command(macos) == router
    assert parse_arp_command(windows) == router


def test_a_command_that_fails_hangs_or_is_not_there_says_nothing():
    assert say_command("no-such-command-anywhere") == ""
    assert say_command(sys.executable, "-c", "print(1); raise SystemExit(1)") == ""
    assert say_command(sys.executable, "-c", "input(); print(1)") == ""
    assert say_command(sys.executable, "-c", "import time; time.sleep(600)", seconds=0.2) == ""
    assert say_command(sys.executable, "-c", "print('yes')", variables={"A": "b"}).strip() == "yes"


def test_this_very_machine_can_be_asked():
    probe = SystemProbe()
    seen = probe.look_around()
    assert all(probe.is_own(one.address) for one in seen.addresses)
    assert probe.is_own(ipaddress.ip_address("127.0.0.1"))
    assert not probe.is_own(ipaddress.ip_address("203.0.113.9"))
    first, second = probe.read_clocks(), probe.read_clocks()
    assert second[0] >= first[0]
    assert probe.read_firewall(8601).state in ("open", "closed", "on", "off", "none", "unknown")
