"""The checklist: the observations that fail each check, and those that pass."""

from __future__ import annotations

import ipaddress
from collections.abc import Generator
from dataclasses import replace

import pytest

from lamplighter.cli.doctor.command import Network, check_network
from lamplighter.cli.doctor.phone_page import PhonePage
from tests.unit.doctor.networks import HOME, at, network

PHONE = ipaddress.ip_address("192.168.1.30")
NOTHING = "Nothing on the network has reached this computer."


@pytest.fixture
def page() -> Generator[PhonePage]:
    page = PhonePage("127.0.0.1", 0)
    yield page
    page.close()


def failed(
    page: PhonePage, before: Network, after: Network | None = None, *, answered: bool = True
) -> list[str]:
    reached = (
        frozenset(one.address for one in before.addresses) if answered else frozenset[ipaddress.IPv4Address]()
    )
    return [
        check.found for check in check_network(before, after or before, page, reached) if not check.passed
    ]


def test_passed_checks_are_listed_too(page: PhonePage) -> None:
    checks = check_network(HOME, HOME, page, frozenset(one.address for one in HOME.addresses))
    assert [check.found for check in checks if check.passed] == [
        "This computer is in a network, at 192.168.1.7.",
        "No VPN that this computer can see carries its traffic.",
        "The page answers at 192.168.1.7 on this computer itself.",
    ]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (HOME, HOME, []),
        (network(), network(), ["This computer is not in a network."]),
        (network(at("172.17.0.1", "docker0")), None, ["This computer is not in a network."]),
        (
            HOME,
            network(at("192.168.1.9")),
            ["This computer's address was 192.168.1.7, and is now 192.168.1.9."],
        ),
        (HOME, network(), ["This computer's address was 192.168.1.7, and is now gone."]),
        (network(), HOME, ["This computer's address was missing, and is now 192.168.1.7."]),
        (
            network(at("192.168.1.7"), at("10.8.0.2", "tun0"), routes=["10.8.0.2"]),
            None,
            ["A VPN (tun0) carries this computer's traffic."],
        ),
        (network(at("192.168.1.7"), at("10.8.0.2", "tun0"), routes=["192.168.1.7"]), None, []),
        (network(at("fd00::7"), routes=["fd00::7"]), None, ["This network gives IPv6 addresses only."]),
        (replace(HOME, inside="WSL"), None, ["Lamplighter runs in WSL, which phones cannot reach."]),
        (
            replace(HOME, inside="a container"),
            None,
            ["Lamplighter runs in a container, which phones cannot reach."],
        ),
    ],
)
def test_each_observation_fails_its_check(
    page: PhonePage, before: Network, after: Network | None, found: list[str]
) -> None:
    told = failed(page, before, after)
    assert [one for one in told if one != NOTHING] == found


def test_a_page_that_does_not_answer_here_is_reported(page: PhonePage) -> None:
    told = failed(page, HOME, answered=False)
    assert told == ["The page does not answer at 192.168.1.7, even on this computer.", NOTHING]


def test_a_foreign_client_shows_that_the_network_is_open(page: PhonePage) -> None:
    page.strangers.add(PHONE)
    assert failed(page, HOME) == [f"Something at {PHONE} came but did not open the page."]
    page.asked_for_tls = True
    assert failed(page, HOME) == [f"Something at {PHONE} came by https, but the page uses http."]


def test_hosts_are_the_addresses_that_the_page_listens_on() -> None:
    found = replace(network(at("192.168.1.7"), at("fd00::7")), name="mine.local")
    assert found.hosts("0.0.0.0") == ["192.168.1.7", "mine.local"]
    assert replace(found, name=None).hosts("::") == ["192.168.1.7", "[fd00::7]"]
    assert found.hosts("[fd00::7]") == ["[fd00::7]"]
    assert replace(network(), name="mine.local").hosts("0.0.0.0") == []
