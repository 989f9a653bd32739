"""Answers made once for all clients, read while they are made, and dropped when others need the room."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lamplighter.web.capacity.caller import ANYONE, PRESENTER, Caller
from lamplighter.web.capacity.limiter import BusyError, Limiter, body_slots
from lamplighter.web.capacity.response_cache import BodyOrder, BodyReader, ResponseCache
from lamplighter.web.capacity.spool import Spool
from lamplighter.web.capacity.thread_pools import ThreadPools


@pytest.fixture
def limiter() -> Limiter:
    return body_slots(4, wait_seconds=10)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, disk_bytes=1000, memory_bytes=0, growth_bytes=1)


@pytest.fixture
def cache(limiter: Limiter, spool: Spool) -> ResponseCache:
    return ResponseCache(limiter, ThreadPools(), spool)


def order(
    key: str, make: Callable[[], Iterable[bytes]], caller: Caller = ANYONE, length: int | None = None
) -> BodyOrder:
    return BodyOrder(key, 0, make, length, caller)


async def read(reader: BodyReader) -> bytes:
    try:
        return b"".join([piece async for piece in reader.pieces()])
    finally:
        reader.close()


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110  (threads)
            await asyncio.sleep(0.005)


async def test_an_answer_is_made_once_for_concurrent_requests_and_then_cached(
    cache: ResponseCache, limiter: Limiter
) -> None:
    made: list[int] = []
    go_on = threading.Event()

    def make() -> list[bytes]:
        made.append(threading.get_ident())
        assert go_on.wait(10)
        return [b"abc", b"de"]

    readers = [cache.open(order("a", make)) for _ in range(20)]
    await until(lambda: bool(made))
    # All but one of them wait without a slot.
    assert limiter.free == 3
    go_on.set()
    assert await asyncio.gather(*map(read, readers)) == [b"abcde"] * 20
    assert limiter.free == 4
    assert await read(cache.open(order("a", make, PRESENTER))) == b"abcde"
    assert readers[0].body.length == 5
    assert len(made) == cache.made == 1


async def test_the_slot_is_free_once_an_answer_is_made_however_slowly_it_is_read(
    cache: ResponseCache, limiter: Limiter
) -> None:
    readers = [cache.open(order(f"{n}", lambda: iter([b"a" * 50, b"b" * 50]), length=100)) for n in range(7)]
    for reader in readers[:3]:
        await reader.begin()
    await until(lambda: cache.made == 7)
    assert limiter.free == 4
    assert [len(await read(reader)) for reader in readers] == [100] * 7


async def test_the_first_bytes_do_not_wait_for_the_last(cache: ResponseCache) -> None:
    read_first = threading.Event()

    def make() -> Iterator[bytes]:
        yield b"first"
        assert read_first.wait(10)
        yield b"last"

    reader = cache.open(order("a", make))
    pieces = reader.pieces()
    assert await anext(pieces) == b"first"
    assert not reader.body.done
    read_first.set()
    assert [piece async for piece in pieces] == [b"last"]
    reader.close()


async def test_an_error_reaches_all_waiting_requests_and_is_not_cached(
    cache: ResponseCache, limiter: Limiter, spool: Spool
) -> None:
    def fail() -> list[bytes]:
        raise ValueError("no such thing")

    for reader in [cache.open(order("a", fail)) for _ in range(3)]:
        with pytest.raises(ValueError, match="no such"):
            await reader.begin()
        reader.close()
    assert await read(cache.open(order("a", lambda: [b"now"]))) == b"now"
    assert (limiter.free, spool.used) == (4, 3)


async def test_an_unread_answer_is_not_completed(
    cache: ResponseCache, limiter: Limiter, spool: Spool
) -> None:
    ended = threading.Event()

    def make() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            ended.set()

    reader = cache.open(order("a", make))
    await reader.begin()
    reader.close()
    await until(ended.is_set)
    await until(lambda: limiter.free == 4 and spool.used == 0)


async def test_a_refused_client_does_not_block_the_presenter(spool: Spool) -> None:
    limiter = body_slots(4, wait_seconds=0.05)
    cache = ResponseCache(limiter, ThreadPools(), spool)
    leave = [limiter.take(ANYONE) for _ in range(3)]
    refused = cache.open(order("a", lambda: [b"a"]))
    granted = cache.open(order("a", lambda: [b"a"], PRESENTER))
    with pytest.raises(BusyError):
        await refused.begin()
    assert await read(granted) == b"a"
    assert all(leave)


async def test_equal_requests_share_a_turn(cache: ResponseCache, limiter: Limiter) -> None:
    greedy, other = Caller(session="greedy"), Caller(session="other")
    leave = limiter.take(greedy)
    assert leave is not None
    made: list[int] = []

    def make() -> list[bytes]:
        made.append(1)
        return [b"a"]

    waits = cache.open(order("a", make, greedy))
    assert await read(cache.open(order("a", make, other))) == b"a"
    assert await read(waits) == b"a"
    leave()
    await until(lambda: limiter.free == 4 and not limiter.waiting())
    assert len(made) == 1


async def test_a_kept_answer_holds_no_tasks(cache: ResponseCache, limiter: Limiter) -> None:
    # The first makes it at once, and the others end before their first step.
    callers = [Caller(session=name) for name in ("first", "second", "third")]
    readers = [cache.open(order("a", lambda: [b"a"], caller)) for caller in callers]
    assert [await read(reader) for reader in readers] == [b"a"] * 3
    await until(lambda: limiter.free == 4)
    assert readers[0].body.orders == {}


async def test_a_refusal_does_not_affect_other_waiting_clients(spool: Spool) -> None:
    limiter = body_slots(2, wait_seconds=0.05)
    cache = ResponseCache(limiter, ThreadPools(), spool)
    leave = limiter.take(ANYONE)
    assert leave is not None
    first = cache.open(order("a", lambda: [b"a"]))
    later = cache.open(order("a", lambda: [b"a"], Caller(session="viewer")))
    await until(lambda: limiter.waiting() == 2)
    # Only a viewer waits longer than `wait_seconds`.
    await until(lambda: limiter.waiting() == 1)
    leave()
    assert [await read(reader) for reader in (first, later)] == [b"a"] * 2


async def test_few_unread_bodies_are_kept(limiter: Limiter, spool: Spool) -> None:
    cache = ResponseCache(limiter, ThreadPools(), spool, kept=3, kept_bytes=250)
    for n in range(4):
        await read(cache.open(order(f"{n}", lambda: [bytes(10)])))
    assert spool.used == 30
    await read(cache.open(order("large", lambda: [bytes(240)])))
    assert spool.used == 250


async def test_room_is_made_from_unread_bodies_then_from_the_slowest_readers(
    limiter: Limiter, spool: Spool
) -> None:
    cache = ResponseCache(limiter, ThreadPools(), spool, grace_seconds=0.0)
    await read(cache.open(order("idle", lambda: [bytes(300)])))
    slow = cache.open(order("slow", lambda: [bytes(400)]))
    dropped: list[str] = []

    def drop() -> None:
        dropped.append("slow")
        slow.close()

    slow.leave_by(drop)
    await slow.begin()
    # The kept one makes room; the one being read does not, yet.
    assert len(await read(cache.open(order("b", lambda: [bytes(300)])))) == 300
    assert (spool.used, dropped) == (700, [])
    cache.open(order("b", list)).close()
    refused = cache.open(order("c", lambda: [bytes(600)]))
    # It is refused, unless the slowest has left before the last check for room.
    with suppress(BusyError):
        await refused.begin()
    refused.close()
    await until(lambda: dropped == ["slow"])
    assert len(await read(cache.open(order("c", lambda: [bytes(600)])))) == 600


async def test_a_complete_body_is_held_for_its_reader(cache: ResponseCache, spool: Spool) -> None:
    reader = await asyncio.to_thread(cache.hold, b"abc")
    assert (reader.body.length, spool.used) == (3, 3)
    assert await read(reader) == b"abc"
    assert spool.used == 0
