"""REST answers about a run recorded from an external loop: unknown values are null."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI

import lamplighter
from tests.unit.serving.routes.api_calls import get

V, D = 600, 4
TOKENS = ["<|endoftext|>", "Ġof", "of", ",", "Ġ,", *(f"Ġw{i}" for i in range(V - 5))]


def record(folder: Path, *, gradient: bool, batch: bool = True, **facts: Any) -> None:
    """Record three steps that move every row, as a dense optimiser does; each reads the rows 0 to 4."""
    weights = np.ones((V, D), np.float32)
    with lamplighter.record(folder, TOKENS, embedding=weights, **facts) as recorder:
        for step in range(3):
            # Row 7 moves the farthest.
            weights = weights + np.float32(0.5)
            weights[7] += 1
            recorder.step(
                weights,
                range(5) if batch else [],
                2.0,
                gradient=np.full((V, D), step + 1.0) if gradient else None,
            )


async def test_unknown_values_are_null_not_0(app: FastAPI, tmp_path: Path) -> None:
    record(tmp_path / "bare", gradient=False)
    record(tmp_path / "series", gradient=False, batch=False)
    bare = (await get(app, "/api/runs/bare/steps/2")).json
    assert (bare["batch_rows"], bare["gradient_rows"], bare["moved_rows"]) == (5, None, V)
    assert (bare["gradient"], len(bare["moved"])) == (None, 500)
    assert bare["tokens_per_second"] > 0
    series = (await get(app, "/api/runs/series/steps?most=2000")).json["items"]
    assert [(one["batch_rows"], one["ever_rows"], one["tokens_per_second"]) for one in series] == [
        (None, None, None)
    ] * 3
    assert [one["ever_rows"] for one in (await get(app, "/api/runs/bare/steps?most=2000")).json["items"]] == [
        5,
        5,
        5,
    ]
    assert "corpus_tokens" not in (await get(app, "/api/runs/bare")).json
    recipe = (await get(app, "/api/runs/bare")).json["recipe"]
    assert (recipe["corpus"], recipe["model"]) == ({"kind": "recorded", "name": ""}, {"dim": D})
    assert set(recipe) == {"corpus", "model", "cadence", "map", "disk_budget"}
    token = (await get(app, "/api/runs/bare/tokens/1")).json
    assert (token["count"], token["class"], token["touches"]) == (None, None, 3)
    path = (await get(app, "/api/runs/bare/tokens/1/path?of=gradient")).json
    assert path["gradient"] == [None, None, None]


async def test_the_differences_of_dense_steps_are_known(app: FastAPI, tmp_path: Path) -> None:
    record(tmp_path / "dense", gradient=True, counts=[1] * V)
    record(tmp_path / "bare", gradient=False)
    dense = (await get(app, "/api/runs/dense/steps/2")).json
    assert (dense["gradient_rows"], dense["layer_norms"][0] > 0) == (V, True)
    found = dense["differences"]
    none: dict[str, Any] = {"rows": 0, "token_ids": []}
    assert (found["read_without_gradient"], found["gradient_without_move"]) == (none, none)
    assert found["gradient_without_read"] == {"rows": V - 5, "token_ids": list(range(5, 105))}
    assert found["moved_without_read"]["rows"] == V - 5
    assert found["moved_without_read"]["token_ids"][:2] == [7, 5]
    bare = (await get(app, "/api/runs/bare/steps/2")).json["differences"]
    assert bare.pop("moved_without_read") == found["moved_without_read"]
    assert list(bare.values()) == [None, None, None]
    assert (await get(app, "/api/runs/dense/tokens/1")).json["count"] == 1


async def test_a_word_is_found_as_it_is_read_and_as_its_tokeniser_has_it(
    app: FastAPI, tmp_path: Path
) -> None:
    record(tmp_path / "pieces", gradient=False)

    async def search(text: str) -> list[tuple[int, str]]:
        items = (await get(app, f"/api/runs/pieces/tokens?search={text}")).json["items"]
        return [(one["token_id"], one["text"]) for one in items]

    assert (await search("of"))[:2] == [(1, "of"), (2, "-of")]
    assert await search("%C4%A0of") == [(1, "of")]
    assert await search("-of") == [(2, "-of")]
    listed = (await get(app, "/api/runs/pieces/tokens?limit=5")).json["items"]
    assert [one["token"] for one in listed] == TOKENS[:5]
    assert [one["text"] for one in listed] == ["<|endoftext|>", "of", "-of", ",", "␣,"]


async def test_rows_that_are_kept_have_every_step(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamplighter.client.recording.step_recording.SMALL_MATRIX", 1_000)
    record(tmp_path / "kept", gradient=False, keep_rows=[7, 9])
    whole = lamplighter.open(tmp_path / "kept").snapshot_steps().tolist()
    assert whole == [0, 3]

    async def steps(token: int, query: str) -> list[int]:
        return (await get(app, f"/api/runs/kept/tokens/{token}/path?{query}")).json["steps"]

    for query in ("of=vectors", "of=motion", "of=pair&with=9"):
        assert await steps(7, query) == [0, 1, 2, 3]
    for query in ("of=pair&with=1", "of=pair&with=9&to=2&from=1", "of=motion&from=2&to=2"):
        assert await steps(7, query) == {"1": whole, "9&to=2&from=1": [1, 2]}.get(query[13:], [2])
    assert await steps(1, "of=motion") == whole
    rows = (await get(app, "/api/runs/kept/vectors?token_ids=7,9&format=json")).json
    assert [row[0][0] for row in rows["vectors"]] == [1, 2.5, 4, 5.5]
    refused = await get(app, "/api/runs/kept/vectors?token_ids=7,1&format=json", status=404)
    assert refused.json["code"] == "not_kept_exactly"
