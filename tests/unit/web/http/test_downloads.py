"""A download comes whole or in parts, and a range that cannot be served is a problem like every other."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.types import Message

from lamplighter.web.http.downloads import DownloadResponse
from tests.support.asgi import Answer, scope_of

pytestmark = pytest.mark.anyio


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
