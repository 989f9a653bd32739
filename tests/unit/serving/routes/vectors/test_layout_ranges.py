"""Layouts and keyframes by range and by page, and several layouts at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from safetensors.numpy import load as load_safetensors

from lamplighter.wire.frames import decode, decode_as, encode
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.folders import FakeTrainer, V, layout, write_layouts
from tests.unit.serving.routes.recorded_steps import ask, npy

pytestmark = pytest.mark.anyio


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
    for bad in ("limit=0", "limit=10001", "from=x"):
        await ask(app, run, f"snapshots?{bad}", 422)
