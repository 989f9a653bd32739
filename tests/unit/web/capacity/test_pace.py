"""The pace of clients: small pieces, a minimum rate over a whole answer, a maximum pause, and which clients
are dropped.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lamplighter.web.capacity.pace import ABORT, PaceMiddleware, SendPace

pytestmark = pytest.mark.anyio


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
