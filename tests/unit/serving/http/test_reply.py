"""A reply: its body is made only if the client needs it, and only once its cost allows."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.http.content_negotiation import NPY
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.reply import Reply
from lamplighter.serving.http.response_cost import LARGE_RESPONSE_BYTES
from lamplighter.serving.http.streaming import LargeResponseLimiter, StreamedResponse
from tests.unit.serving.folders import make_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(RunStore(tmp_path))


def reply_to(
    run: RunFolder, known: str = "", *, head: bool = False, limiter: LargeResponseLimiter | None = None
) -> Reply:
    headers = [(b"if-none-match", known.encode())] if known else []
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "state": {"head": head}}
    reply = Reply(Request(scope), limiter or LargeResponseLimiter(), run, NPY)
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


def test_no_body_is_made_for_who_has_it(run: RunFolder) -> None:
    tag = reply_to(run).send(0, list).headers["etag"]
    for cost in (0, LARGE_RESPONSE_BYTES):
        assert reply_to(run, tag).send(cost, never).status_code == 304
    other = reply_to(run, tag)
    other.tag("rows", 8, immutable=False)
    assert other.send(0, lambda: [b"new"]).status_code == 200


def test_any_version_will_do_only_once_there_is_one(run: RunFolder) -> None:
    with pytest.raises(AssertionError, match="was made"):
        reply_to(run, "*").send(0, never)
    assert reply_to(run, "*").send(0, lambda: [b"ab"]).status_code == 304


def test_the_head_of_a_large_body_is_told_without_it(run: RunFolder) -> None:
    response = reply_to(run, head=True).send(LARGE_RESPONSE_BYTES, never)
    assert "content-length" not in response.headers
    assert reply_to(run, head=True).send(0, never, length=9).headers["content-length"] == "9"


def test_a_large_body_waits_for_a_slot_before_it_is_made(run: RunFolder) -> None:
    limiter = LargeResponseLimiter(1)
    streamed = reply_to(run, limiter=limiter).send(LARGE_RESPONSE_BYTES, lambda: [b"ab"])
    assert isinstance(streamed, StreamedResponse)
    with pytest.raises(RefusedError) as refused:
        reply_to(run, limiter=limiter).send(LARGE_RESPONSE_BYTES, never)
    assert refused.value.status == 503
    # A small one needs none.
    assert reply_to(run, limiter=limiter).send(1, lambda: [b"c"]).body == b"c"


def test_a_body_that_fails_gives_its_slot_back(run: RunFolder) -> None:
    limiter = LargeResponseLimiter(1)
    for _ in range(2):
        with pytest.raises(AssertionError, match="was made"):
            reply_to(run, limiter=limiter).send(LARGE_RESPONSE_BYTES, never)
