"""Layouts and keyframes by range and by page, and several layouts at once."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from safetensors.numpy import load as load_safetensors

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.reading.token_table import TokenTable
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.vectors import TokenList
from lamplighter.wire.frames import decode, decode_as, encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.row_frames import Rows
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.folders import FakeTrainer, V, layout, make_run, write_layouts
from tests.unit.serving.routes.api_calls import get
from tests.unit.serving.routes.recorded_steps import ask, npy


async def test_layouts(app: FastAPI, run: RunFolder) -> None:
    base = f"/api/runs/{run.id}/layouts"
    items = (await get(app, base)).json["items"]
    # The layout of attempt 7 does not count.
    assert [(item["step"], item["method"]) for item in items] == [(0, "linear"), (10, "umap"), (30, "umap")]
    answer = await get(app, f"{base}/29")
    frame = decode(answer.body)
    assert isinstance(frame, Layout)
    assert (frame.step, frame.method, answer.headers["x-lamplighter-step"]) == (10, Method.UMAP, "10")
    one = (await get(app, f"{base}/35?format=json&method=linear")).json
    assert (one["step"], one["method"], len(one["coordinates"])) == (0, "linear", V)
    await get(app, f"{base}/9", 404)


async def test_layouts_by_range_and_page(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    assert (await ask(app, run, "layouts")).json == {"items": [], "next": None}
    write_layouts(
        run, layout(1, 0, Method.LINEAR), *(layout(1, step) for step in range(0, 35, 5)), layout(7, 20)
    )
    listed = (await ask(app, run, "layouts?from=5&to=25&method=umap")).json
    assert ([item["step"] for item in listed["items"]], listed["next"]) == ([5, 10, 15, 20, 25], None)
    pages: list[list[int]] = []
    following: str | None = "layouts?from=5&to=25&method=umap&limit=2"
    while following:
        page = (await ask(app, run, following)).json
        pages.append([item["step"] for item in page["items"]])
        following = page["next"]
    assert pages == [[5, 10], [15, 20], [25]]


async def test_several_layouts_at_once(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer.run
    assert "layouts" in (await ask(app, run, "places", 404)).json["detail"]
    layouts = [layout(1, step) for step in range(0, 35, 5)]
    write_layouts(run, layout(1, 0, Method.LINEAR), *layouts, layout(7, 20))
    drawn = [decode_as(encode(one), Layout).coordinates for one in layouts]
    np.testing.assert_array_equal(npy(await ask(app, run, "places?from=5&to=20")), drawn[1:5])
    np.testing.assert_array_equal(npy(await ask(app, run, "places?every=3&token_ids=9,2")),
                                  np.stack(drawn)[::3][:, [9, 2]])  # fmt: skip
    found = load_safetensors((await ask(app, run, "places?format=safetensors")).body)
    np.testing.assert_array_equal(found["places"], drawn)
    assert found["steps"].tolist() == list(range(0, 35, 5))
    told = (await ask(app, run, "places?format=json&method=linear")).json
    assert (told["method"], told["steps"], len(told["places"][0])) == ("linear", [0], V)
    body = (await ask(app, run, "places?format=frame")).body
    size = 64 + 4 * V
    frames = [decode(body[at : at + size]) for at in range(0, len(body), size)]
    assert [frame.step for frame in frames] == list(range(0, 35, 5))
    await ask(app, run, "places?format=frame&token_ids=1", 422)
    monkeypatch.setattr("lamplighter.serving.reading.layout_query.MAX_LAYOUTS", 3)
    assert "every" in (await ask(app, run, "places", 422)).json["detail"]
    assert npy(await ask(app, run, "places?every=3")).shape == (3, V, 2)


async def test_keyframes_by_range_and_page(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    part = (await ask(app, run, "snapshots?from=5&to=25")).json
    assert ([item["step"] for item in part["items"]], part["exact"]) == ([10, 20], True)
    assert (part["from"], part["to"], part["stretches"], part["next"]) == (5, 25, [[5, 25]], None)
    pages: list[Any] = []
    following: str | None = "snapshots?limit=3&to=34"
    while following:
        page = (await ask(app, run, following)).json
        pages.append(([item["step"] for item in page["items"]], page["stretches"]))
        following = page["next"]
    assert pages == [([0, 10, 20], [[0, 29]]), ([30], [[30, 34]])]
    empty = (await ask(app, run, "snapshots?from=36")).json
    assert (empty["items"], empty["exact"]) == ([], False)


async def test_snapshots(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(35)
    trainer.end()
    base = f"/api/runs/{run.id}/snapshots"
    found = (await get(app, base)).json
    assert [item["step"] for item in found["items"]] == [0, 10, 20, 30]
    assert (found["exact"], found["from"], found["to"]) == (True, 0, 35)
    answer = await get(app, f"{base}/27?format=npy")
    assert answer.headers["x-lamplighter-exact"] == "true"
    matrix = np.load(io.BytesIO(answer.body), allow_pickle=False)
    np.testing.assert_array_equal(matrix, trainer.matrices[27])
    frame = decode((await get(app, f"{base}/27")).body)
    assert isinstance(frame, Rows)
    assert frame.whole
    np.testing.assert_array_equal(frame.vectors, trainer.matrices[27])
    assert (
        await get(app, f"{base}/27?format=npy", 304, **{"if-none-match": answer.headers["etag"]})
    ).body == b""
    assert "35" in (await get(app, f"{base}/36", 404)).json["detail"]


async def test_unkept_steps_are_not_invented(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    FakeTrainer(run, rows=False).begin().train(25).end()
    base = f"/api/runs/{run.id}"
    assert (await get(app, f"{base}/snapshots")).json["exact"] is False
    assert "20" in (await get(app, f"{base}/snapshots/25", 404)).json["detail"]
    near = (await get(app, f"{base}/neighbours?token_id=1&step=25")).json
    assert (near["step"], near["exact"]) == (20, False)
    # A request for the nearest step is answered from memory; one for exactly this step is still refused.
    assert "20" in (await get(app, f"{base}/snapshots/25", 404)).json["detail"]
    newest = (await get(app, f"{base}/neighbours?token_id=1")).json
    assert (newest["step"], newest["exact"]) == (20, True)


async def test_a_superseded_step_is_not_answered_from_memory(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(15)
    first = await get(app, f"/api/runs/{run.id}/snapshots/14?format=npy")
    trainer.start_attempt_after(10).train(5)
    second = await get(app, f"/api/runs/{run.id}/snapshots/14?format=npy")
    assert first.headers["etag"] != second.headers["etag"]
    np.testing.assert_array_equal(np.load(io.BytesIO(second.body)), trainer.matrices[14])
    trainer.crash()


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
