"""Slots for large answers: how many a client gets, and that waits are short."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from lamplighter.web.capacity.caller import ANYONE, PRESENTER, Caller, identify_caller
from lamplighter.web.capacity.limiter import BusyError, Limiter, body_slots


def test_more_memory_takes_more_slots() -> None:
    limiter = body_slots(4)
    small, large = limiter.take(PRESENTER), limiter.take(PRESENTER, 130 << 20)
    assert small is not None
    assert large is not None
    assert limiter.take(PRESENTER) is None
    large()
    large()
    assert limiter.free == 3
    assert limiter.take(PRESENTER, 1 << 40) is None
    small()
    # The largest answer is made when no other is.
    for _ in range(2):
        alone = limiter.take(PRESENTER, 1 << 40)
        assert alone is not None
        assert limiter.free == 0
        alone()


def test_one_slot_is_reserved_for_the_presenter() -> None:
    limiter = body_slots(4)
    assert all(limiter.take(ANYONE) for _ in range(3))
    assert limiter.take(ANYONE) is None
    assert limiter.take(PRESENTER) is not None
    assert limiter.take(PRESENTER) is None


def test_an_address_gets_at_most_half() -> None:
    limiter = body_slots(4)
    here, there = Caller(address="192.0.2.1"), Caller(address="192.0.2.2")
    assert all(limiter.take(here) for _ in range(2))
    assert limiter.take(here) is None
    assert limiter.take(there, 1 << 40) is None
    one = limiter.take(there)
    assert one is not None
    assert limiter.take(there) is None
    one()
    assert limiter.take(there) is not None


def test_a_viewers_answer_takes_slots_by_its_memory() -> None:
    limiter = body_slots(4)
    one, other = Caller(session="one"), Caller(session="other")
    release = limiter.take(one, 100 << 20)
    assert release is not None
    assert limiter.free == 2
    # Its next answer waits for this one, however small it is.
    assert limiter.take(one) is None
    assert limiter.take(other, 100 << 20) is None
    release()
    assert limiter.take(one, 1 << 40) is not None
    assert (limiter.take(other), limiter.free) == (None, 1)


async def test_a_viewer_has_one_answer_and_few_waiting_requests() -> None:
    limiter = body_slots(4, wait_seconds=0)
    greedy, other = Caller(session="greedy"), Caller(session="other")
    leave = limiter.take(greedy)
    assert leave is not None
    assert (limiter.take(greedy), limiter.free) == (None, 3)
    waiting = [asyncio.create_task(limiter.acquire(greedy)) for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await limiter.acquire(greedy)
    assert await limiter.acquire(other)
    for task in waiting:
        leave()
        leave = await task
    leave()
    assert limiter.free == 3


@pytest.mark.parametrize("large", [PRESENTER, Caller(session="large")])
async def test_a_large_answer_gets_its_slots_while_small_ones_wait(large: Caller) -> None:
    limiter = body_slots(4)
    viewers = [Caller(session=f"{number}") for number in range(6)]
    held = [await limiter.acquire(viewer) for viewer in viewers[:3]]
    sizes = dict.fromkeys(viewers[3:], 0)
    # The presenter goes first with every request.
    asked = sizes | {large: 100 << 20} if large.presenter else {large: 100 << 20} | sizes
    others = [asyncio.create_task(limiter.acquire(caller, size)) for caller, size in asked.items()]
    waits = others.pop(list(asked).index(large))
    await asyncio.sleep(0)
    held.pop()()
    await asyncio.sleep(0)
    assert not any(task.done() for task in others)
    if not large.presenter:
        assert limiter.take(Caller(session="late")) is None
        held.pop()()
    (await waits)()
    # All free slots go to the others.
    for _ in range(2):
        await asyncio.sleep(0)
    assert sum(task.done() for task in others) == 3 - len(held)


async def test_an_abandoned_wait_does_not_stop_the_others() -> None:
    limiter = body_slots(4)
    assert await limiter.acquire(Caller(session="first"))
    waits = asyncio.create_task(limiter.acquire(PRESENTER, 1 << 40))
    await asyncio.sleep(0)
    other = asyncio.create_task(limiter.acquire(Caller(session="other")))
    await asyncio.sleep(0)
    assert not other.done()
    waits.cancel()
    async with asyncio.timeout(5):
        assert await other


async def test_waits_for_a_slot_are_short_and_limited() -> None:
    limiter = body_slots(1)
    leave = await limiter.acquire(ANYONE)
    asyncio.get_running_loop().call_later(0.01, leave)
    again = await limiter.acquire(ANYONE)
    again()
    hurried = body_slots(1, wait_seconds=0.01)
    await hurried.acquire(ANYONE)
    refused = [await refusal(hurried) for _ in range(20)]
    # Callers refused together return at different times.
    assert len({error.retry_after for error in refused}) > 1
    full = body_slots(1, wait_seconds=3600, max_callers=0)
    await full.acquire(ANYONE)
    await refusal(full)


async def test_a_few_large_waits_do_not_block_others() -> None:
    limiter = body_slots(4)
    leave = await limiter.acquire(PRESENTER, 1 << 40)
    greedy = [Caller(session=f"{number}") for number in range(4)]
    waits = [asyncio.create_task(limiter.acquire(caller)) for caller in greedy for _ in range(8)]
    await asyncio.sleep(0)
    other = Caller(session="other")
    late = [asyncio.create_task(limiter.acquire(caller)) for caller in (PRESENTER, PRESENTER, other)]
    await asyncio.sleep(0)
    assert (limiter.waiting(PRESENTER), limiter.waiting(other)) == (2, 1)
    with pytest.raises(BusyError):
        await limiter.acquire(other)
    for task in (*waits, *late):
        task.cancel()
    await asyncio.gather(*waits, *late, return_exceptions=True)
    leave()
    assert (limiter.free, limiter.waiting()) == (4, 0)


async def refusal(limiter: Limiter) -> BusyError:
    with pytest.raises(BusyError) as refused:
        await limiter.acquire(ANYONE)
    return refused.value


@pytest.mark.parametrize(
    ("peer", "presenter", "caller"),
    [("127.0.0.1", False, ANYONE), ("::1", False, ANYONE), (None, False, ANYONE), ("127.0.0.1", True, PRESENTER),
     ("192.0.2.7", False, Caller(address="192.0.2.7")), ("192.0.2.7", True, PRESENTER),
     ("2001:db8:1:2:3::4", False, Caller(address="2001:db8:1:2::/64")),
     ("fe80::1%eth0", False, Caller(address="fe80::1")), ("::ffff:192.0.2.7", False, Caller(address="192.0.2.7")), ("a name", False, Caller(address="a name"))],
)  # fmt: skip
def test_connections_counted_together(peer: str | None, presenter: bool, caller: Caller) -> None:
    scope = {
        "type": "http",
        "client": (peer, 1) if peer else None,
        "state": {"presenter": presenter},
        "headers": [],
    }
    assert identify_caller(Request(scope)) == caller


def test_a_viewer_is_counted_across_addresses() -> None:
    for peer in ("192.0.2.7", "127.0.0.1"):
        scope = {"type": "http", "client": (peer, 1), "state": {"viewer": "ab"}, "headers": []}
        assert identify_caller(Request(scope)) == Caller(session="ab")
