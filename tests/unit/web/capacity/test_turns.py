"""Turns: a caller waits for one work of another client, not for all of them, and heavy users rest."""

from __future__ import annotations

import asyncio
import threading

import pytest

from lamplighter.web.capacity.caller import PRESENTER, Caller
from lamplighter.web.capacity.limiter import Limiter, body_slots
from lamplighter.web.capacity.thread_pools import Pool, ThreadPools
from lamplighter.web.capacity.viewer_credit import CREDIT_SECONDS, LONGEST_REST, RATE, ViewerCredit

pytestmark = pytest.mark.anyio

GREEDY, FIRST, SECOND = (Caller(session=name) for name in ("greedy", "first", "second"))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_callers_are_served_in_turn() -> None:
    limiter = Limiter(1, 1)
    served: list[str | None] = []

    async def ask(caller: Caller) -> None:
        release = await limiter.acquire(caller)
        served.append(caller.session)
        await asyncio.sleep(0)
        release()
        release()

    order = [GREEDY] * 5 + [FIRST, FIRST, SECOND]
    await asyncio.gather(*map(ask, order))
    assert served == ["greedy", "greedy", "first", "second", "greedy", "first", "greedy", "greedy"]
    assert (limiter.free, limiter.waiting()) == (1, 0)


async def test_a_viewer_has_its_share_and_frees_its_places_on_leaving() -> None:
    limiter = Limiter(4, 2)
    held = [await limiter.acquire(GREEDY) for _ in range(2)]
    waiting = [asyncio.create_task(limiter.acquire(GREEDY)) for _ in range(3)]
    await asyncio.sleep(0)
    assert (limiter.free, limiter.waiting(GREEDY)) == (2, 3)
    # Two more for others at once; a caller who is no viewer may have all.
    held += [await limiter.acquire(FIRST), await limiter.acquire(Caller())]
    waiting[0].cancel()
    held[0]()
    # It has the place, but does not know it yet.
    waiting[1].cancel()
    await asyncio.gather(*waiting[:2], return_exceptions=True)
    held[0] = await waiting[2]
    assert (limiter.free, limiter.waiting()) == (0, 0)
    for release in held:
        release()
    assert limiter.free == 4
    assert [limiter.take(Caller()) is not None for _ in range(5)] == [True] * 4 + [False]


async def test_all_places_that_become_free_at_once_are_given_in_turn() -> None:
    limiter = body_slots(4)
    release = await limiter.acquire(PRESENTER, 1 << 30)
    alone = [asyncio.create_task(limiter.acquire(PRESENTER)) for _ in range(4)]
    await asyncio.sleep(0)
    release()
    async with asyncio.timeout(3):
        await asyncio.gather(*alone)
    assert limiter.free == 0


async def test_a_resting_client_is_woken_after_the_others() -> None:
    rests = {"greedy": 0.05}
    limiter = Limiter(1, 1, lambda session: rests.get(session, 0.0))
    greedy = asyncio.create_task(limiter.acquire(GREEDY))
    await asyncio.sleep(0)
    (await limiter.acquire(FIRST))()
    assert not greedy.done()
    rests.clear()
    # No place is given back from here on.
    async with asyncio.timeout(10):
        (await greedy)()


def test_credit_is_used_up_and_refills_and_rests_are_short() -> None:
    clock = Clock()
    credit = ViewerCredit(clock)
    for _ in range(4):
        assert credit.rest("a") == 0
        credit.charge("a", CREDIT_SECONDS / 4)
    assert credit.rest("a") == 0
    credit.charge("a", 0.1)
    assert credit.rest("a") == pytest.approx(0.1 / RATE)
    assert credit.rest("b") == 0
    clock.now += 0.5 * 0.1 / RATE
    assert credit.rest("a") == pytest.approx(0.5 * 0.1 / RATE)
    for _ in range(3):
        credit.charge("a", 60.0)
    assert credit.rest("a") == pytest.approx(LONGEST_REST)
    clock.now += 2 * CREDIT_SECONDS / RATE
    credit.charge("a", CREDIT_SECONDS)
    assert credit.rest("a") == 0
    for number in range(2_000):
        credit.charge(f"{number}", 60.0)
    assert len(credit._accounts) == 1_000


@pytest.mark.parametrize("greedy", [GREEDY, Caller(address="192.0.2.1")])
@pytest.mark.parametrize("pool", [Pool.CHANGE, Pool.CHEAP, Pool.DEAR, Pool.MAKING])
async def test_however_often_one_client_asks_another_gets_a_thread(pool: Pool, greedy: Caller) -> None:
    pools, go_on = ThreadPools(), threading.Event()

    def block() -> bool:
        return go_on.wait(20)

    async with asyncio.timeout(20):
        flood = [asyncio.create_task(pools.run_in(pool, block, caller=greedy)) for _ in range(200)]
        await asyncio.sleep(0)
        assert await pools.run_in(pool, lambda: "free", caller=FIRST) == "free"
        go_on.set()
        assert all(await asyncio.gather(*flood))


async def test_thread_time_is_charged_to_its_viewer() -> None:
    pools = ThreadPools()

    def fail() -> None:
        sum(range(200_000))
        raise ValueError

    for caller in (Caller(), Caller(presenter=True), FIRST):
        with pytest.raises(ValueError):
            await pools.run_in(Pool.DEAR, fail, caller=caller)
    (account,) = pools.credit._accounts.values()
    assert account.left < CREDIT_SECONDS
