from __future__ import annotations

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_folder import RunFolder
from tests.support.folders import V
from tests.unit.serving.routes.api_calls import get

pytestmark = pytest.mark.anyio


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
