"""The gate before HTTP: who goes when there are too many, and that the presenter always finds a place."""

from __future__ import annotations

import ipaddress
from typing import Any, cast

import pytest

from lamplighter.web.connections.connection_gate import (
    FULL,
    SESSION_SHARE_TAKEN,
    SHARE_TAKEN,
    ConnectionCounters,
    ConnectionGate,
)
from lamplighter.web.connections.limits import ConnectionLimits

LIMITS = ConnectionLimits(total=40)  # 10 newcomers, a reserve of 8, a share of 20.
HERE = "127.0.0.1"


class FakeTransport:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class Town:
    """A gate, and connections that come to it."""

    def __init__(self) -> None:
        self.counters = ConnectionCounters()
        self.gate = ConnectionGate(LIMITS, self.counters)

    def come(self, count: int = 1, peer: str | None = HERE) -> list[Any]:
        made = [FakeTransport() for _ in range(count)]
        for transport in made:
            self.gate.enter(cast(Any, transport), peer)
        return made

    def ask(self, transport: Any, presenter: bool = False, session: str | None = None) -> str | None:
        return self.gate.admit_request(transport, lambda: presenter, session)

    def serve(self, count: int, peer: str = HERE) -> list[Any]:
        served: list[Any] = []
        for _ in range(count):
            (transport,) = self.come(peer=peer)
            assert self.ask(transport) is None
            served.append(transport)
        return served


def test_idle_connections_push_out_each_other_oldest_first() -> None:
    town = Town()
    idle = town.come(1_000)
    assert [t.aborted for t in idle] == [True] * 990 + [False] * 10
    assert town.counters.open == 10
    assert town.counters.evicted_waiting == 990


def test_a_newcomer_finds_a_place_and_is_served_among_any_number_of_idle_ones() -> None:
    town = Town()
    town.come(50)
    (honest,) = town.come()
    assert town.ask(honest) is None
    town.come(50)
    assert not honest.aborted


def test_viewers_cannot_take_the_reserve_and_the_presenter_can_take_half() -> None:
    town = Town()
    viewers = town.serve(32)
    (late,) = town.come()
    assert town.ask(late) == FULL
    town.gate.leave(late)
    presenters: list[Any] = []
    for _ in range(4):
        (transport,) = town.come()
        assert town.ask(transport, presenter=True) is None
        presenters.append(transport)
    (another,) = town.come()
    assert town.ask(another, presenter=True) == FULL, "the rest is for those who have not said who they are"
    town.come(100)
    assert town.counters.open == 40
    assert not any(t.aborted for t in viewers + presenters)
    assert town.counters.turned_away == 0
    assert town.counters.refused_full == 2


def test_a_connection_that_rests_goes_for_one_that_asks() -> None:
    town = Town()
    viewers = town.serve(32)
    for transport in viewers[3:5]:
        town.gate.rest(transport)
    assert town.ask(viewers[4]) is None, "it asks again, so it rests no more"
    (asks,) = town.come()
    assert town.ask(asks) is None
    assert [t.aborted for t in viewers] == [n == 3 for n in range(32)]
    assert town.counters.evicted_resting == 1
    (next_one,) = town.come()
    assert town.ask(next_one) == FULL


def test_one_address_has_half_of_the_waiting_and_of_the_served() -> None:
    town = Town()
    flood = town.come(30, "192.0.2.7")
    (honest,) = town.come(peer="192.0.2.8")
    town.come(30, "192.0.2.7")
    assert not honest.aborted
    assert sum(not t.aborted for t in flood) == 0
    for transport in flood:
        town.gate.leave(transport)
    town.serve(20, "192.0.2.9")
    (late,) = town.come(peer="192.0.2.9")
    assert town.ask(late) == SHARE_TAKEN
    assert town.ask(late, presenter=True) is None, "the presenter may sit behind the same address"
    assert town.ask(honest) is None
    assert town.counters.refused_address == 1


def test_one_viewer_has_a_few_places_wherever_its_connections_come_from() -> None:
    town = Town()
    own: list[Any] = []
    for number in range(16):
        (transport,) = town.come(peer=f"192.0.2.{number}")
        assert town.ask(transport, session="a") is None
        own.append(transport)
    (late, other) = town.come(2)
    assert town.ask(late, session="a") == SESSION_SHARE_TAKEN
    assert town.ask(other, session="b") is None
    assert town.counters.refused_session == 1
    # One that rests goes for it: HTTP allows that.
    town.gate.rest(own[3])
    assert town.ask(late, session="a") is None
    assert [t.aborted for t in own] == [n == 3 for n in range(16)]
    town.gate.rest(other)
    # A connection counts for the session of its last request.
    assert town.ask(other, session="a") == SESSION_SHARE_TAKEN
    town.gate.leave(own[0])
    assert town.ask(other, session="a") is None
    for transport in [*own, late, other]:
        town.gate.leave(transport)
    assert not town.gate._served_by_session
    assert not town.gate._sessions


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(one: str, other: str, shared: bool) -> None:
    town = Town()
    town.serve(20, one)
    (transport,) = town.come(peer=other)
    assert town.ask(transport) == (SHARE_TAKEN if shared else None)


def test_loopback_has_no_share_because_every_local_peer_is_one_address() -> None:
    town = Town()
    town.serve(16, "127.0.0.1")
    town.serve(16, "::1")
    assert town.counters.open == 32


@pytest.mark.parametrize("proxy", ["192.0.2.1", "2001:db8::1"])
def test_a_trusted_proxy_has_no_share_because_its_connections_are_those_of_many(proxy: str) -> None:
    town = Town()
    town.gate = ConnectionGate(LIMITS, town.counters, ipaddress.ip_network(proxy))
    town.serve(32, proxy)
    assert town.counters.open == 32


def test_a_place_is_free_again_once_its_connection_is_gone() -> None:
    town = Town()
    for _ in range(5):
        viewers = town.serve(20, "192.0.2.9")
        for transport in viewers:
            town.gate.upgrade(transport)
        assert (town.counters.open, town.counters.websockets) == (20, 20)
        for transport in viewers:
            town.gate.leave(transport)
            town.gate.leave(transport)
        assert (town.counters.open, town.counters.websockets) == (0, 0)


def test_a_connection_that_was_evicted_gets_nothing() -> None:
    town = Town()
    first, *_ = town.come(11)
    assert first.aborted
    assert town.ask(first) == FULL
    assert town.counters.open == 10
