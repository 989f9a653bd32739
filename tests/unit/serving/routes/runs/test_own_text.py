"""A text of one's own: what is said of it before training, and that a refused one makes no run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_store import RunStore
from tests.support.asgi import Answer, call

pytestmark = pytest.mark.anyio

LONG = " ".join(f"word{n % 300}" for n in range(1_500)).encode()


async def send(app: FastAPI, bearer: dict[str, str], text: bytes, name: str = "essay.txt") -> Answer:
    return await call(app, "POST", f"/api/uploads?name={name}", bearer, text)


async def start(app: FastAPI, bearer: dict[str, str], upload: str, **recipe: Any) -> Answer:
    body = {"recipe": {"corpus": {"kind": "text"}, **recipe}, "upload": upload}
    sent = {**bearer, "content-type": "application/json"}
    return await call(app, "POST", "/api/runs", sent, json.dumps(body).encode())


async def test_a_text_is_described_without_a_run(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    facts = (await send(app, bearer, LONG)).json["text"]
    assert facts == {
        "words": 1_500,
        "tokens": 1_500,
        "different": 300,
        "exact": True,
        "vocabulary": 301,
        "steps": 500,
        "expectation": "by_heart",
    }
    assert RunStore(tmp_path).runs() == []


async def test_a_text_that_is_declared_to_be_too_large_is_refused_unread(
    app: FastAPI, bearer: dict[str, str]
) -> None:
    limit = 64 * 2**20
    for length, status in ((limit, 201), (limit + 1, 413), (2 * limit, 413)):
        answer = await call(app, "POST", "/api/uploads", {**bearer, "content-length": str(length)}, LONG)
        assert answer.status == status
    assert "at most 64 MiB" in answer.json["detail"]


async def test_a_text_too_short_makes_no_run(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    sent = (await send(app, bearer, b"only a few words, twice: only a few words")).json
    assert sent["text"]["expectation"] == "too_short"
    refused = await start(app, bearer, sent["upload"])
    assert refused.status == 422
    assert refused.json["detail"].startswith("This text has 9 words. 1,000 are needed;")
    assert [error["field"] for error in refused.json["errors"]] == ["upload"]
    assert RunStore(tmp_path).runs() == []


async def test_a_text_shorter_than_a_batch_makes_no_run(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    upload = (await send(app, bearer, LONG)).json["upload"]
    refused = await start(app, bearer, upload, model={"context": 800}, sequences=8, passages=2)
    assert refused.status == 422
    assert "a batch reads passages" in refused.json["detail"]
    assert RunStore(tmp_path).runs() == []
    made = await start(app, bearer, upload)
    assert (made.status, made.json["name"]) == (201, "essay.txt")
    unnamed = (await send(app, bearer, LONG, name="")).json["upload"]
    assert (await start(app, bearer, unnamed)).json["name"] == "word0 word1 word2 word3 word4"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"caf\xe9 " * 2_000, "This file isn't plain UTF-8 text (byte 3 is 0xe9). Save it as"),
        (b"PK\x03\x04\x14\x00\x06\x00" + LONG, "Word documents and PDFs can't be read directly"),
        ("words ".encode("utf-16") * 2_000, "it is UTF-16"),
        (b" \n ", "is empty. 1,000 words are needed."),
        (b"", "is empty. 1,000 words are needed."),
    ],
)
async def test_rejects_non_text_with_advice(
    app: FastAPI, bearer: dict[str, str], text: bytes, reason: str
) -> None:
    refused = await send(app, bearer, text)
    assert refused.status == 422
    assert reason in refused.json["detail"]
    assert refused.json["code"] in ("text_not_plain", "text_empty")
