"""The diagnosis: what each sight rules out, what it leaves, and in which order."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any, get_args

import pytest

from lamplighter.doctor.advice import Cause, list_advice
from lamplighter.doctor.diagnosis import Diagnosis, diagnose
from lamplighter.doctor.network_probe import FirewallFacts, NetworkFacts, System
from lamplighter.doctor.phone_wait import PhoneWait
from tests.unit.doctor.fake_probe import HOME, at, facts

LINK = "http://192.168.1.7:8601/abcdefgh"
OFF = FirewallFacts("off", "the firewall")


def waited(before: NetworkFacts = HOME, after: NetworkFacts | None = None, **changes: Any) -> PhoneWait:
    """Return a wait in vain."""
    fields: dict[str, Any] = {
        "firewall": OFF,
        "waited": 30.0,
        "slept": 0.0,
        "answered": frozenset(one.address for one in before.addresses),
    }
    return PhoneWait(None, before, after or before, **(fields | changes))


def judge(wait: PhoneWait, links: tuple[str, ...] = (LINK,), system: System = "linux") -> Diagnosis:
    return diagnose(wait, system, 8601, links)


def causes(wait: PhoneWait, links: tuple[str, ...] = (LINK,)) -> list[Cause]:
    return [suspect.cause for suspect in judge(wait, links).suspects]


def test_where_all_is_well_the_wifi_remains():
    found = judge(waited())
    assert [suspect.cause for suspect in found.suspects] == ["isolation"]
    ruled_out = "\n".join(found.ruled_out)
    for words in ("no network", "sleep", "VPN", "IPv6 only", "wrong address", "firewall"):
        assert words in ruled_out


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        (waited(facts()), ["no_network"]),
        (waited(facts(at("172.17.0.1", "docker0"))), ["no_network"]),
        (waited(slept=40.0), ["slept", "isolation"]),
        (waited(after=facts(at("192.168.1.9"), routes=["192.168.1.9"])), ["address_changed", "isolation"]),
        (waited(after=facts()), ["address_changed", "isolation"]),
        (waited(facts(at("192.168.1.7"), at("10.8.0.2", "tun0"), routes=["10.8.0.2"])), ["vpn", "isolation"]),
        (waited(facts(at("192.168.1.7"), at("10.8.0.2", "tun0"), routes=["192.168.1.7"])), ["isolation"]),
        (waited(firewall=FirewallFacts("closed", "ufw")), ["firewall", "isolation"]),
        (waited(firewall=FirewallFacts("on", "ufw")), ["firewall", "isolation"]),
        (waited(firewall=FirewallFacts("unknown")), ["firewall", "isolation"]),
        (waited(firewall=FirewallFacts("open", "ufw")), ["isolation"]),
        (waited(facts(at("fd00::7"), routes=["fd00::7"])), ["ipv6_only", "isolation"]),
        (waited(answered=frozenset()), ["not_answering", "isolation"]),
        (waited(strangers=(ipaddress.ip_address("192.168.1.30"),)), ["half_way"]),
        (waited(strangers=(ipaddress.ip_address("192.168.1.30"),), asked_for_tls=True), ["wants_tls"]),
        (waited(replace(HOME, inside="wsl")), ["wsl", "isolation"]),
        (waited(replace(HOME, inside="container")), ["container", "isolation"]),
    ],
)
def test_each_sight_has_its_cause(wait: PhoneWait, expected: list[Cause]):
    assert causes(wait) == expected


def test_other_addresses_are_named_to_be_tried():
    found = judge(waited(), (LINK, "http://10.0.0.3:8601/abcdefgh"))
    (other,) = [suspect for suspect in found.suspects if suspect.cause == "other_address"]
    assert "http://10.0.0.3:8601/abcdefgh" in other.steps[0]
    assert LINK not in other.steps[0]
    assert "wrong address" not in "\n".join(found.ruled_out)


def test_a_machine_that_turned_up_speaks_for_the_firewall_and_against_the_wifi():
    near = replace(HOME, neighbours=HOME.neighbours | {ipaddress.ip_address("192.168.1.30")})
    firewall, isolation = judge(waited(after=near, firewall=FirewallFacts("on", "ufw"))).suspects
    assert "192.168.1.30 turned up" in firewall.reason
    assert "192.168.1.30 turned up" in isolation.reason


def test_a_container_that_turned_up_is_no_phone():
    before = facts(at("192.168.1.7"), at("172.17.0.1", "docker0"), routes=["192.168.1.7"])
    after = replace(before, neighbours=frozenset([ipaddress.ip_address("172.17.0.5")]))
    assert "turned up" not in judge(waited(before, after)).suspects[-1].reason


@pytest.mark.parametrize("system", get_args(System))
@pytest.mark.parametrize("cause", get_args(Cause))
def test_there_is_something_to_do_about_every_cause_on_every_system(cause: Cause, system: System):
    steps = list_advice(cause, system, 8601, (LINK,))
    assert steps
    for step in steps:
        assert "{" not in step
        assert step.isprintable()
