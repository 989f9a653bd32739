"""The contract of the fan-out, for one process and for servers that share a NATS broker."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lamplighter.serving.fanout.broker import TTL, Broker, Lease
from lamplighter.serving.fanout.contract import START, Entry, Fanout, Sequence
from lamplighter.serving.fanout.memory_fanout import MAX_KEPT, MemoryFanout
from lamplighter.serving.fanout.nats_fanout import NatsFanout
from lamplighter.web.settings import BrokerSettings
from tests.support.machine.nats_server import Link, NatsServer
from tests.support.waiting import wait_until

# nats-py leaves a connection that could not be made in time to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

RUN = "2026-11-30 a run. with * and >"


class Servers:
    """Two servers' ends of the fan-out of one run; in one process they are the same."""

    def __init__(self, connect: Callable[[], Fanout], *, shared: bool) -> None:
        self._connect = connect
        self.a = connect()
        self.b = connect() if shared else self.a
        self.heard: list[str] = []
        self.leaves = [
            end.follow(RUN, self.heard.append) for end in ([self.a, self.b] if shared else [self.a])
        ]

    def another(self) -> Fanout:
        """Return the end of a server that begins to follow now."""
        if self.a is self.b:
            return self.a
        end = self._connect()
        self.leaves.append(end.follow(RUN, self.heard.append))
        return end

    def publish(
        self, steps: Iterator[int] | range, channel: str = "beats", end: Fanout | None = None
    ) -> None:
        for step in steps:
            assert (end or self.a).publish(RUN, channel, Sequence(1, step, 1), b"%d" % step)


def reaches(end: Fanout, seq: Sequence, channel: str = "beats") -> None:
    wait_until(lambda: newest(end, channel) == seq, f"{seq} of {channel}")


def newest(end: Fanout, channel: str = "beats") -> Sequence:
    last = end.last(RUN, channel)
    return last.seq if last else START


def steps_of(entries: list[Entry] | None) -> list[int] | None:
    return None if entries is None else [entry.seq.step for entry in entries]


@pytest.fixture
def connect() -> Iterator[Callable[[str], Broker]]:
    brokers: list[Broker] = []

    def make(url: str) -> Broker:
        brokers.append(Broker(BrokerSettings(url)))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.close()


@pytest.fixture(params=["memory", "nats"])
def servers(request: pytest.FixtureRequest) -> Servers:
    if request.param == "memory":
        return Servers(MemoryFanout, shared=False)
    nats, connect = request.getfixturevalue("nats"), request.getfixturevalue("connect")
    return Servers(lambda: NatsFanout(connect(nats.url)), shared=True)


@pytest.fixture
def shared(nats: NatsServer, connect: Callable[[str], Broker]) -> Servers:
    return Servers(lambda: NatsFanout(connect(nats.url)), shared=True)


def test_a_reader_gets_each_entry_once_and_in_order(servers: Servers):
    assert servers.b.last(RUN, "beats") is None
    assert servers.b.since(RUN, "beats", START) == []
    servers.publish(range(1, 8))
    reaches(servers.b, Sequence(1, 7, 1))
    assert steps_of(servers.b.since(RUN, "beats", START)) == [1, 2, 3, 4, 5, 6, 7]
    assert steps_of(servers.b.since(RUN, "beats", Sequence(1, 5, 1))) == [6, 7]
    assert servers.b.since(RUN, "beats", Sequence(1, 7, 1)) == []
    assert servers.b.since(RUN, "beats", Sequence(1, 8, 1)) is None
    last = servers.b.last(RUN, "beats")
    assert last is not None
    assert last.data == b"7"
    assert servers.heard.count("beats") == 7 * len(servers.leaves)


def test_only_what_is_after_the_newest_is_taken(servers: Servers):
    servers.publish(range(1, 4))
    for seq in (Sequence(1, 3, 1), Sequence(1, 2, 9), START):
        assert not servers.a.publish(RUN, "beats", seq, b"again")
    assert servers.a.publish(RUN, "beats", Sequence(2, 1, 1), b"another attempt")
    reaches(servers.b, Sequence(2, 1, 1))
    assert steps_of(servers.b.since(RUN, "beats", START)) == [1, 2, 3, 1]


def test_a_slow_reader_is_told_of_the_gap_and_goes_on_from_the_newest(servers: Servers):
    servers.publish(range(1, 2))
    servers.publish(range(2, MAX_KEPT + 12))
    last = MAX_KEPT + 11
    reaches(servers.b, Sequence(1, last, 1))
    assert servers.b.since(RUN, "beats", Sequence(1, 1, 1)) is None
    assert steps_of(servers.b.since(RUN, "beats", Sequence(1, last - 5, 1))) == list(
        range(last - 4, last + 1)
    )


def test_of_a_state_only_the_newest_is_kept(servers: Servers):
    servers.publish(range(1, 5), "state")
    reaches(servers.b, Sequence(1, 4, 1), "state")
    late = servers.another()
    reaches(late, Sequence(1, 4, 1), "state")
    assert late.since(RUN, "state", Sequence(1, 2, 1)) is None


def test_who_follows_late_gets_what_is_kept(servers: Servers):
    servers.publish(range(1, 4))
    reaches(servers.b, Sequence(1, 3, 1))
    late = servers.another()
    reaches(late, Sequence(1, 3, 1))
    assert steps_of(late.since(RUN, "beats", START)) == [1, 2, 3]


def test_of_two_publishers_no_entry_comes_twice(servers: Servers):
    for step in range(1, 40):
        for end in (servers.a, servers.b):
            end.publish(RUN, "beats", Sequence(1, step, 1), b"%d" % step)
    for end in (servers.a, servers.b):
        reaches(end, Sequence(1, 39, 1))
        places = [entry.seq for entry in end.since(RUN, "beats", Sequence(1, 38, 1)) or []]
        assert places == [Sequence(1, 39, 1)]
    late = servers.another()
    reaches(late, Sequence(1, 39, 1))
    kept = _all_kept(late)
    assert kept == sorted(set(kept))


def _all_kept(end: Fanout) -> list[int]:
    found = (steps_of(end.since(RUN, "beats", Sequence(1, step, 1))) for step in itertools.count(0))
    return next(entries for entries in found if entries is not None)


def test_who_leaves_keeps_nothing(servers: Servers):
    servers.publish(range(1, 3))
    reaches(servers.b, Sequence(1, 2, 1))
    for leave in servers.leaves:
        leave()
    for end in (servers.a, servers.b):
        assert end.last(RUN, "beats") is None
        assert not end.publish(RUN, "beats", Sequence(1, 9, 1), b"9")


def test_two_runs_are_apart(servers: Servers):
    servers.a.follow("another", servers.heard.append)
    servers.publish(range(1, 3))
    assert servers.a.last("another", "beats") is None


def test_forged_entries_are_refused(shared: Servers, connect: Callable[[str], Broker], nats: NatsServer):
    shared.publish(range(1, 3))
    reaches(shared.b, Sequence(1, 2, 1))
    guarded = NatsFanout(connect(nats.url), lambda channel, data: data != b"bad")
    guarded.follow(RUN, shared.heard.append)
    reaches(guarded, Sequence(1, 2, 1))
    key = hashlib.sha256(RUN.encode()).hexdigest()[:24]
    stranger = connect(nats.url)
    wait_until(lambda: stranger.is_connected)

    async def send() -> None:
        good = {"Lamp-Seq": "1.3.1", "Lamp-Before": "1.2.1"}
        for channel, headers, data in (
            ("beats", None, b"x"),
            ("beats", {"Lamp-Seq": "1.3.1"}, b"x"),
            ("beats", {**good, "Lamp-Seq": "one"}, b"x"),
            ("beats", {**good, "Lamp-Seq": "1.-3.1"}, b"x"),
            ("beats", {**good, "Lamp-Seq": f"1.{'9' * 400}.1"}, b"x"),
            ("unheard-of", good, b"x"),
            ("beats", good, b"bad"),
        ):
            await stranger.client.publish(f"lamp.{key}.{channel}", data, headers=headers)
        await stranger.client.flush()

    stranger.spawn(send()).result(10)
    wait_until(lambda: guarded.refused == 7, "the forged entries")
    assert newest(guarded) == Sequence(1, 2, 1)


@pytest.mark.tour
def test_after_a_restart_of_the_broker_all_goes_on(shared: Servers, nats: NatsServer):
    shared.publish(range(1, 4))
    reaches(shared.b, Sequence(1, 3, 1))
    nats.stop()
    shared.publish(range(4, 7))
    # The streams are in memory: the broker that comes back knows nothing.
    nats.start()
    shared.publish(range(7, 9))
    reaches(shared.b, Sequence(1, 8, 1))
    assert steps_of(shared.b.since(RUN, "beats", Sequence(1, 3, 1))) == [4, 5, 6, 7, 8]
    late = shared.another()
    reaches(late, Sequence(1, 8, 1))


@pytest.mark.tour
def test_after_a_partition_the_reader_is_told_of_the_gap(
    link: Link, nats: NatsServer, connect: Callable[[str], Broker]
):
    ways = iter((nats.url, f"nats://127.0.0.1:{link.port}"))
    servers = Servers(lambda: NatsFanout(connect(next(ways))), shared=True)
    servers.publish(range(1, 4))
    reaches(servers.b, Sequence(1, 3, 1))
    link.cut()
    servers.publish(range(4, 3 * MAX_KEPT))
    assert newest(servers.b) == Sequence(1, 3, 1)
    link.mend()
    last = 3 * MAX_KEPT - 1
    reaches(servers.b, Sequence(1, last, 1))
    assert servers.b.since(RUN, "beats", Sequence(1, 3, 1)) is None
    kept = servers.b.since(RUN, "beats", Sequence(1, last - 10, 1))
    assert steps_of(kept) == list(range(last - 9, last + 1))


@pytest.mark.tour
def test_a_broker_without_memory_holds_up_nobody(tmp_path: Path, connect: Callable[[str], Broker]):
    nats = NatsServer(tmp_path / "small", "max_mem: 100000000")
    try:
        servers = Servers(lambda: NatsFanout(connect(nats.url)), shared=True)
        servers.publish(range(1, 2))
        reaches(servers.b, Sequence(1, 1, 1))
        for step in range(2, 200):
            # The publisher and its own readers never wait, and the others get the newest.
            assert servers.a.publish(RUN, "beats", Sequence(1, step, 1), bytes(900_000))
            assert newest(servers.a) == Sequence(1, step, 1)
            reaches(servers.b, Sequence(1, step, 1))
    finally:
        nats.stop()


def test_a_lease_has_one_holder_until_it_ends(nats: NatsServer, connect: Callable[[str], Broker]):
    brokers = [connect(nats.url), connect(nats.url)]
    first, second = (Lease(broker, "class", name) for broker, name in zip(brokers, "ab", strict=True))

    def hold(lease: Lease, broker: Broker) -> bool:
        return broker.spawn(lease.hold()).result(10)

    wait_until(lambda: hold(first, brokers[0]), "the lease")
    assert not hold(second, brokers[1])
    assert hold(first, brokers[0])
    brokers[0].spawn(first.release()).result(10)
    assert hold(second, brokers[1])
    assert not hold(first, brokers[0])
    # Its holder is gone without a word.
    brokers[1].close()
    wait_until(lambda: hold(first, brokers[0]), "the end of the lease", timeout=10 * TTL)
