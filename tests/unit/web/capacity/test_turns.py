"""Turns: a caller waits for one work of another client, not for all of them, and heavy users rest.

The pace of clients: small pieces, a minimum rate over a whole answer, a maximum pause, and which clients
are dropped.
The spool: bounded room, on disk or in memory, and no leftovers.
"""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lamplighter.web.capacity import spool as spool_module
from lamplighter.web.capacity.caller import PRESENTER, Caller
from lamplighter.web.capacity.limiter import BusyError, Limiter, body_slots
from lamplighter.web.capacity.pace import ABORT, PaceMiddleware, SendPace
from lamplighter.web.capacity.spool import Spool
from lamplighter.web.capacity.thread_pools import (
    CREDIT_SECONDS,
    LONGEST_REST,
    RATE,
    Pool,
    ThreadPools,
    ViewerCredit,
)

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


async def test_a_rest_that_ends_while_a_caller_is_passed_over_stops_nobody() -> None:
    rests = iter((0.01,))
    limiter = Limiter(1, 1, lambda session: next(rests, 0.0) if session == "greedy" else 0.0)
    async with asyncio.timeout(5):
        for caller in (GREEDY, FIRST):
            (await limiter.acquire(caller))()


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
    pools.credit.charge("first", CREDIT_SECONDS)
    assert pools.credit.rest("first") == 0

    def fail() -> None:
        sum(range(200_000))
        raise ValueError

    for caller in (Caller(), Caller(presenter=True), FIRST):
        with pytest.raises(ValueError):
            await pools.run_in(Pool.DEAR, fail, caller=caller)
    assert pools.credit.rest("first") > 0


class Client:
    """A client that takes some time for each piece, and reports what it received."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.got: list[int] = []
        self.complete = False
        self.aborted = 0

    async def send(self, message: Any) -> None:
        await asyncio.sleep(self.seconds)
        if message["type"] == "http.response.body":
            self.got.append(len(message["body"]))
            self.complete = not message.get("more_body", False)

    def abort(self) -> None:
        self.aborted += 1


async def serve(app: ASGIApp, client: Client, pace: SendPace) -> None:
    async def receive() -> Any:
        await asyncio.sleep(3600)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "headers": [],
        "extensions": {ABORT: client.abort},
    }
    async with asyncio.timeout(20):
        await PaceMiddleware(app, pace)(scope, receive, client.send)


async def test_a_body_is_sent_in_small_pieces_one_after_another() -> None:
    client, pace = Client(0.0), SendPace()
    await serve(Response(bytes(300_000)), client, pace)
    assert client.complete
    assert sum(client.got) == 300_000
    assert max(client.got) == 65_536
    # The last, empty one waits for the previous ones.
    assert client.got[-1] == 0
    await serve(Response(b"small"), small := Client(0.0), pace)
    assert small.got == [5]
    assert (client.aborted, pace.dropped) == (0, 0)


async def test_a_client_below_the_minimum_rate_is_dropped() -> None:
    # A piece in 10 ms is 6.5 MB/s.
    slow, fast = Client(0.01), Client(0.01)
    strict, lenient = SendPace(rate=1e9, grace_seconds=0.04), SendPace(rate=1e5, grace_seconds=0.04)
    await serve(Response(bytes(3_000_000)), slow, strict)
    assert (slow.complete, slow.aborted, strict.dropped) == (False, 1, 1)
    assert 0 < len(slow.got) < 10
    await serve(Response(bytes(1_000_000)), fast, lenient)
    assert (fast.complete, fast.aborted, lenient.dropped) == (True, 0, 0)


async def test_a_client_with_a_long_pause_is_dropped_even_if_fast() -> None:
    client = Client(0.0)
    pace = SendPace(rate=1.0, grace_seconds=1e9, longest_pause=0.05)
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(bytes(200_000))(scope, receive, send_twice(send))
        ended.append("whole")

    def send_twice(send: Send) -> Send:
        async def stalling(message: Any) -> None:
            await send(message)
            client.seconds = 3600.0

        return stalling

    await serve(app, client, pace)
    assert (client.aborted, pace.dropped, ended) == (1, 1, [])


async def test_the_time_to_make_an_answer_does_not_count() -> None:
    client, pace = Client(0.0), SendPace(rate=1e12, grace_seconds=0.02)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(4):
            await asyncio.sleep(0.03)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    await serve(app, client, pace)
    assert (client.complete, pace.dropped) == (True, 0)


def test_time_left_is_the_grace_plus_what_the_rate_allows() -> None:
    pace = SendPace(rate=100.0, grace_seconds=5.0, longest_pause=30.0)
    assert pace.seconds_left(0, 0) == 5
    assert pace.seconds_left(1_000, 4) == 11
    assert pace.seconds_left(1_000_000, 4) == 30
    assert pace.seconds_left(0, 9) == 0


MB = 1 << 20


def test_a_file_is_read_while_it_is_written_and_has_no_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    file = spool.open(10)
    assert file.read(0, 5) == b""
    file.write(b"abcd")
    assert (file.read(1, 2), file.read(3, 9), file.read(4, 1)) == (b"bc", b"d", b"")
    file.write(memoryview(b"efghij"))
    assert file.read(0, 99) == b"abcdefghij"
    assert spool.used == 10
    if os.name == "posix":
        assert list(tmp_path.iterdir()) == []
    file.close()
    file.close()
    assert spool.used == 0
    assert list(tmp_path.iterdir()) == []


def test_room_is_bounded_and_partly_reserved_for_the_presenter(tmp_path: Path) -> None:
    spool = Spool(tmp_path, disk_bytes=100, memory_bytes=0)
    held = spool.open(75)
    with pytest.raises(BusyError, match="no room"):
        spool.open(1)
    assert spool.open(25, presenter=True).read(0, 1) == b""
    held.close()
    spool.open(75)


def test_a_file_of_unknown_size_takes_room_as_it_grows_and_returns_the_rest(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path, disk_bytes=100, memory_bytes=0, growth_bytes=40)
    file = spool.open(None, presenter=True)
    file.write(bytes(41))
    assert spool.used == 80
    with pytest.raises(BusyError):
        file.write(bytes(60))
    file.trim()
    assert spool.used == 41
    del file
    assert spool.used == 0


def test_a_full_disk_leaves_room_for_training_and_small_answers_are_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "spare_bytes", lambda _: -1)
    spool = Spool(tmp_path, memory_bytes=100)
    file = spool.open(60)
    file.write(b"x" * 60)
    assert (file.read(59, 9), spool.used) == (b"x", 60)
    with pytest.raises(BusyError):
        spool.open(60)


def test_a_read_only_folder_of_runs_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr(spool_module.tempfile, "gettempdir", lambda: str(elsewhere))
    spool = Spool(tmp_path / "missing", memory_bytes=0)
    file = spool.open(3)
    file.write(b"abc")
    assert file.read(0, 3) == b"abc"


def test_a_complete_body_is_in_memory_while_there_is_room_and_then_in_a_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path, disk_bytes=1_000, memory_bytes=100)
    first, second = (spool.hold(bytes(60), presenter=False) for _ in range(2))
    assert (first.in_memory, second.in_memory, spool.used) == (True, False, 120)
    assert first.read(0, 100) == second.read(0, 100) == bytes(60)
    first.close()
    third = spool.hold(bytes(75))
    assert (third.in_memory, spool.used) == (True, 135)
