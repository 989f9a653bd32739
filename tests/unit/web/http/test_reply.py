"""A reply: its body is made only if the client needs it, and only once its cost allows.

A download comes whole or in parts, and a range that cannot be served is a problem like every other.
"""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.capacity.limiter import body_slots
from lamplighter.web.capacity.response_cache import AbandonedError, ResponseCache
from lamplighter.web.capacity.spool import Spool
from lamplighter.web.capacity.thread_pools import ThreadPools
from lamplighter.web.http.content_negotiation import NPY
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES
from lamplighter.web.http.streaming import (
    HELD_BYTES,
    DownloadResponse,
    LargeResponse,
    SpooledResponse,
    spool_body,
)
from tests.support.asgi import Answer, scope_of
from tests.support.folders import make_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(RunStore(tmp_path))


def answers_of(run: RunFolder) -> ResponseCache:
    return ResponseCache(body_slots(1, wait_seconds=0.01), ThreadPools(), Spool(run.path))


def reply_to(run: RunFolder, known: str = "", *, head: bool = False) -> Reply:
    headers = [(b"if-none-match", known.encode())] if known else []
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "state": {"head": head}}
    reply = Reply(Request(scope), answers_of(run), run, NPY)
    reply.tag("rows", 7, immutable=False)
    return reply


def never() -> list[bytes]:
    raise AssertionError("a body was made")


def test_a_body_is_sent_with_what_is_said_of_it(run: RunFolder) -> None:
    reply = reply_to(run)
    reply.add_facts(from_=2, step=7, exact=False)
    response = reply.send(3, lambda: [b"ab", b"c"])
    assert (response.status_code, response.body, response.media_type) == (200, b"abc", NPY.media_type)
    assert response.headers["x-lamplighter-from"] == "2"
    assert response.headers["x-lamplighter-step"] == "7"
    assert response.headers["x-lamplighter-exact"] == "false"
    assert response.headers["content-length"] == "3"


def test_no_body_is_made_for_a_client_that_has_it(run: RunFolder) -> None:
    tag = reply_to(run).send(0, list).headers["etag"]
    for cost in (0, LARGE_RESPONSE_BYTES):
        assert reply_to(run, tag).send(cost, never).status_code == 304
    other = reply_to(run, tag)
    other.tag("rows", 8, immutable=False)
    assert other.send(0, lambda: [b"new"]).status_code == 200


def test_any_version_matches_only_an_existing_response(run: RunFolder) -> None:
    with pytest.raises(AssertionError, match="was made"):
        reply_to(run, "*").send(0, never)
    assert reply_to(run, "*").send(0, lambda: [b"ab"]).status_code == 304


def test_the_head_of_a_large_body_is_told_without_it(run: RunFolder) -> None:
    response = reply_to(run, head=True).send(LARGE_RESPONSE_BYTES, never)
    assert "content-length" not in response.headers
    assert reply_to(run, head=True).send(0, never, length=9).headers["content-length"] == "9"


async def sent(response: Response) -> list[Message]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError

    await response({"type": "http", "method": "GET", "headers": []}, receive, send)
    return messages


async def test_a_large_body_is_given_up_once_its_client_has_left(run: RunFolder) -> None:
    reply = reply_to(run)
    begun, ended = threading.Event(), threading.Event()

    def make() -> list[bytes]:
        begun.set()
        try:
            for _ in range(10_000):
                reply.require_wanted()
                time.sleep(0.001)
        except AbandonedError:
            ended.set()
            raise
        return [b"too late"]

    async def receive() -> Message:
        await asyncio.to_thread(begun.wait, 10)
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        raise AssertionError("the client has left")

    response = reply.send(LARGE_RESPONSE_BYTES, make)
    await response({"type": "http", "method": "GET", "headers": []}, receive, send)
    assert await asyncio.to_thread(ended.wait, 10)


async def test_a_large_body_is_made_only_when_it_is_sent(run: RunFolder) -> None:
    response = reply_to(run).send(LARGE_RESPONSE_BYTES, lambda: [b"ab", b"c"])
    assert isinstance(response, LargeResponse)
    start, *parts = await sent(response)
    assert (start["status"], b"".join(part["body"] for part in parts)) == (200, b"abc")
    assert (b"content-length", b"3") in start["headers"]
    assert (b"content-type", NPY.media_type.encode()) in start["headers"]


async def test_a_large_body_that_fails_before_its_first_bytes_fails_as_a_whole(run: RunFolder) -> None:
    with pytest.raises(AssertionError, match="was made"):
        await sent(reply_to(run).send(LARGE_RESPONSE_BYTES, never))


def test_a_key_tells_the_client_nothing(run: RunFolder) -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "state": {}}
    reply = Reply(Request(scope), answers_of(run), run, NPY)
    reply.key("rows", 7)
    assert "etag" not in reply.send(LARGE_RESPONSE_BYTES, never).headers


def test_a_large_finished_body_leaves_memory(run: RunFolder) -> None:
    answers = answers_of(run)
    assert spool_body(small := Response(b"abc"), answers, presenter=False) is small
    large = spool_body(Response(bytes(HELD_BYTES + 1), 201, {"X-A": "b"}, "text/a"), answers, presenter=False)
    assert isinstance(large, SpooledResponse)
    start, *parts = asyncio.run(sent(large))
    assert (start["status"], sum(len(part["body"]) for part in parts)) == (201, HELD_BYTES + 1)
    headers = dict(start["headers"])
    assert headers[b"content-length"] == b"%d" % (HELD_BYTES + 1)
    assert (headers[b"x-a"], headers[b"content-type"]) == (b"b", b"text/a; charset=utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "steps.csv"
    path.write_bytes(b"0123456789")
    return path


async def download(file: Path, range_: str | None) -> Answer:
    headers = {} if range_ is None else {"range": range_}
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    response = DownloadResponse(file, media_type="text/csv", filename=file.name)
    await response(scope_of("http", "GET", "/", headers, None), receive, send)
    pairs = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], pairs, b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.mark.parametrize(
    ("range_", "status", "body"),
    [(None, 200, b"0123456789"), ("bytes=2-4", 206, b"234"), ("bytes=-3", 206, b"789")],
)
async def test_existing_items_are_returned(file: Path, range_: str | None, status: int, body: bytes) -> None:
    answer = await download(file, range_)
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(("range_", "status"), [("bytes=20-30", 416), ("lines=1-2", 400), ("bytes=x", 400)])
async def test_missing_things_are_problems(file: Path, range_: str, status: int) -> None:
    answer = await download(file, range_)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status, answer.json["status"]) == (status, status)
    assert "Range" in answer.json["detail"]
    assert answer.headers.get("content-range") == ("bytes */10" if status == 416 else None)
