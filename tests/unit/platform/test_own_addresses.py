"""The addresses of this machine, in the order in which they are likely to work.

QR codes: the terminal shows the code with its quiet zone.
"""

from __future__ import annotations

import ipaddress
import socket
import sys

import pytest

from lamplighter.platform.own_addresses import (
    InterfaceAddress,
    classify_interface,
    find_default_routes,
    find_own_addresses,
    rank_addresses,
    read_interface_addresses,
)
from lamplighter.platform.qr_code import qr_for_terminal, qr_rows
from tests.support.machine.namespaces import NAMESPACES, run_in_namespace


def at(text: str, interface: str = "wlan0", flags: int = 1) -> InterfaceAddress:
    address = ipaddress.ip_address(text)
    return InterfaceAddress(address, interface, classify_interface(interface, flags, address))


def test_the_default_route_comes_first_and_tunnels_last():
    listed = [
        at("10.8.0.2", "tun0", 0x11),
        at("172.17.0.1", "docker0"),
        at("fd00::7"),
        at("10.0.0.3", "eth0"),
        at("192.168.1.7"),
    ]
    ranked = [str(one.address) for one in rank_addresses(listed, [listed[4].address, listed[2].address])]
    assert ranked == ["192.168.1.7", "10.0.0.3", "fd00::7", "172.17.0.1", "10.8.0.2"]
    # A VPN with the default route is not reachable from the network.
    assert str(rank_addresses(listed, [listed[0].address])[0].address) != "10.8.0.2"


def test_includes_a_route_without_a_listed_interface():
    route = ipaddress.ip_address("192.168.1.7")
    assert [one.address for one in rank_addresses([], [route])] == [route]


@pytest.mark.parametrize(
    ("name", "flags", "address", "kind"),
    [
        ("en0", 0x8863, "192.168.1.7", "network"),
        ("wlp3s0", 0x1003, "10.0.0.7", "network"),
        ("utun3", 0x8051, "10.8.0.2", "tunnel"),
        ("whatever7", 0x11, "10.8.0.2", "tunnel"),
        ("", 0, "100.101.102.103", "tunnel"),
        ("", 0, "192.168.1.7", "network"),
        ("br-5ad9c3", 0x1003, "172.18.0.1", "virtual"),
        ("br0", 0x1003, "192.168.1.7", "network"),
    ],
)
def test_classifies_interfaces_by_name_and_flags(name: str, flags: int, address: str, kind: str):
    assert classify_interface(name, flags, ipaddress.ip_address(address)) == kind


def test_can_listen_on_every_address():
    hosts = find_own_addresses()
    assert len(hosts) == len(set(hosts))
    for host in hosts:
        if host.endswith(".local"):
            continue
        address = ipaddress.ip_address(host.strip("[]"))
        assert not address.is_loopback
        assert not address.is_link_local
        with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET) as listening:
            listening.bind((str(address), 0))
    assert set(find_default_routes()) <= {one.address for one in read_interface_addresses()}


# Links of a network: `link NAME ADDRESS...` makes one that is up.
LINKS = """set -e
ip link set lo up
link() { name=$1; shift; ip link add "$name" type veth peer name "p$name"; ip link set "p$name" up
  for address; do ip addr add "$address" dev "$name" nodad 2>/dev/null || ip addr add "$address" dev "$name"; done
  ip link set "$name" up; }
"""
SCENES = {
    "nothing": ("", []),
    "IPv6 only": ("link w0 fd12::5/64; ip -6 route add default dev w0", ["[fd12::5]"]),
    "both": (
        "link w0 fd12::5/64 192.168.7.5/24; ip route add default via 192.168.7.1",
        ["192.168.7.5", "[fd12::5]"],
    ),
    "a VPN takes the default route": (
        "link w0 192.168.7.5/24; link tun7 10.8.0.2/24; ip route add default via 10.8.0.1",
        ["192.168.7.5", "10.8.0.2"],
    ),
    "the second network has the default route": (
        "link w0 192.168.7.5/24; link w1 192.168.8.5/24; ip route add default via 192.168.8.1",
        ["192.168.8.5", "192.168.7.5"],
    ),
}


@NAMESPACES
@pytest.mark.parametrize("scene", SCENES)
def test_order_in_a_network_namespace(scene: str):
    build, expected = SCENES[scene]
    ask = "from lamplighter.platform.own_addresses import find_own_addresses as f; print(*f())"
    done = run_in_namespace(LINKS + build, [sys.executable, "-c", ask])
    assert done.returncode == 0, done.stderr
    assert [host for host in done.stdout.split() if not host.endswith(".local")] == expected


LINK = "http://192.168.178.23:8601/#3fZk0QbVt2xJ8mPd"
FINDER = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]


def test_a_code_is_square_with_three_finders_in_a_quiet_zone():
    rows = qr_rows(LINK)
    size = len(rows)
    assert {len(row) for row in rows} == {size}
    assert set("".join(rows)) == {"0", "1"}
    inside = [row[4:-4] for row in rows[4:-4]]
    assert "1" not in "".join(rows[:4] + rows[-4:] + [row[:4] + row[-4:] for row in rows])
    assert [row[:7] for row in inside[:7]] == FINDER
    assert [row[-7:] for row in inside[:7]] == FINDER
    assert [row[:7] for row in inside[-7:]] == FINDER


def test_the_terminal_shows_every_module():
    rows = qr_rows(LINK)
    drawn: list[str] = []
    for line in qr_for_terminal(LINK).split("\n"):
        drawn.append("".join("0" if sign in "█▀" else "1" for sign in line))
        drawn.append("".join("0" if sign in "█▄" else "1" for sign in line))
    assert drawn[: len(rows)] == rows
    assert set("".join(drawn[len(rows) :])) <= {"0"}


def test_rejects_a_text_that_is_too_long():
    with pytest.raises(ValueError):
        qr_rows("x" * 5_000)
