from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.token_table import TokenTable
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.tokens import TokenList
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.folders import V
from tests.unit.serving.routes.api_calls import get

pytestmark = pytest.mark.anyio


def test_a_list_has_the_bytes_of_its_schema(run: RunFolder) -> None:
    for vocabulary in (run.vocabulary, replace(run.vocabulary, counts=np.zeros(V, dtype=np.int64))):
        table = TokenTable(vocabulary, np.arange(0, V, 3))
        for limit, offset in ((50_000, 0), (3, V - 2), (1, V + 1)):
            some = range(offset, min(V, offset + limit))
            expected = json_body(TokenList(items=[table.token(token_id) for token_id in some]))
            assert [table.encode_list(limit, offset)] == expected


async def test_a_browser_keeps_the_list(app: FastAPI, run: RunFolder) -> None:
    path = f"/api/runs/{run.id}/tokens?limit=50000&offset=0"
    tag = (await get(app, path)).headers["etag"]
    await get(app, path, 304, **{"if-none-match": tag})


async def test_tokens(app: FastAPI, run: RunFolder) -> None:
    base = f"/api/runs/{run.id}/tokens"

    async def found(query: str) -> list[str]:
        return [item["token"] for item in (await get(app, f"{base}?{query}")).json["items"]]

    assert await found("search=dog") == ["dog", "Dog", "dogs", "hotdog"]
    assert await found("search=Dog&limit=2") == ["Dog", "dog"]
    assert await found("search=/") == ["/"]
    assert await found("search=..") == [".."]
    assert await found("search=nothing-like-it") == []
    assert len(await found("limit=50000")) == V
    assert (await found("limit=3&offset=1")) == ["dog", "Dog", "dogs"]
    one = (await get(app, f"{base}/1?step=20")).json
    assert (one["token"], one["class"], one["count"], one["step"], one["exact"]) == (
        "dog",
        "animals",
        39,
        20,
        True,
    )
    assert 0 < one["touches"] <= 20
    assert one["norm"] > 0
    await get(app, f"{base}/{V}", 404)
    await get(app, f"{base}/-1", 404)


def test_pieces_are_found_and_shown_as_people_read_them() -> None:
    pieces = (
        "\u0120dog",
        "dog",
        "\u0120Dog",
        "hot\u0120dog",
        "\u00c3\u0143",
        "\u00c3",
        "\u010a",
        "\u0120!",
        "!",
    )
    table = TokenTable(Vocabulary(pieces, np.zeros(len(pieces), dtype=np.int64)))
    texts = [table.token(token_id).text for token_id in range(len(pieces))]
    assert texts == ["dog", "-dog", "Dog", "-hot dog", "-\u00ed", "\u27e8c3\u27e9", "\n", "\u2423!", "!"]
    assert [found.token_id for found in table.search("dog", 9, 0)] == [0, 1, 2, 3]
