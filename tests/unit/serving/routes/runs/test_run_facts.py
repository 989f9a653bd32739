"""The facts that a list of runs shows of each: its name, its picture, and how many districts it has."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.contract.recipe import Recipe
from lamplighter.exports.run_picture import LAMP_BYTES, PICTURE_BYTES, SMALL, draw_night
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import NAME_FILE
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.layout_frames import Method
from tests.support.asgi import HOST, Answer, call
from tests.support.folders import V, finished_run, layout, write_layouts
from tests.unit.serving.routes.api_calls import send


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return finished_run(tmp_path)


async def read(app: FastAPI, path: str, **headers: str) -> Answer:
    return await call(app, "GET", path, {"host": HOST, **headers})


async def rename(app: FastAPI, bearer: dict[str, str], run: RunFolder, body: object) -> Answer:
    return await send(app, "PATCH", f"/api/runs/{run.id}", bearer, body)


def pixels(png: bytes) -> np.ndarray:
    """Return the pixels of a PNG of ours, shape (H, W, 3)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, dict[bytes, bytes]()
    while at < len(png):
        size, name = struct.unpack_from(">I4s", png, at)
        found[name] = png[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", png, at + 8 + size)[0] == zlib.crc32(name + found[name])
        at += size + 12
    width, height, *rest = struct.unpack(">IIBBBBB", found[b"IHDR"])
    assert rest == [8, 2, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert (rows[:, 0] == 2).all()
    return np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).reshape(height, width, 3)


async def test_a_run_is_renamed_by_the_presenter_alone(
    app: FastAPI, bearer: dict[str, str], run: RunFolder
) -> None:
    before = (await read(app, f"/api/runs/{run.id}")).json
    assert (before["id"], before["name"]) == (run.id, "Lamptown")
    answer = await rename(app, bearer, run, {"name": "  Our class,\t8b "})
    assert (answer.status, answer.json["name"], answer.json["id"]) == (200, "Our class, 8b", run.id)
    assert (await read(app, "/api/runs")).json["items"][0]["name"] == "Our class, 8b"
    path = f"/api/runs/{run.id}"
    refused = await call(
        app, "PATCH", path, {"host": HOST, "content-type": "application/json"}, b'{"name":"x"}'
    )
    assert refused.status == 401


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": " \n"}, {"name": 7}, {"name": "x" * 81}, {"name": "\u202egnirts"}, {"name": "a\x1b[31m"}, {"name": "ok", "id": "x"}, [], "x"],
)  # fmt: skip
async def test_hostile_names_change_nothing(
    app: FastAPI, bearer: dict[str, str], run: RunFolder, body: object
) -> None:
    answer = await rename(app, bearer, run, body)
    assert answer.status == 422
    assert answer.json["detail"]
    assert (await read(app, f"/api/runs/{run.id}")).json["name"] == "Lamptown"


async def test_runs_from_before_names_are_numbered_alike_in_the_list_and_alone(
    app: FastAPI, tmp_path: Path
) -> None:
    store = RunStore(tmp_path)
    for run in (store.create(Recipe()), store.create(Recipe())):
        (run.path / NAME_FILE).unlink()
    alone = {run.id: (await read(app, f"/api/runs/{run.id}")).json["name"] for run in store.runs()}
    listed = {item["id"]: item["name"] for item in (await read(app, "/api/runs")).json["items"]}
    assert alone == listed
    assert set(alone.values()) == {"Lamptown", "Lamptown 2"}


async def test_a_run_says_how_many_districts_it_has(app: FastAPI, run: RunFolder) -> None:
    path = f"/api/runs/{run.id}"
    assert (await read(app, path)).json.get("districts") is None
    with LayoutsWriter(run.layouts_path) as writer:
        for count in (3, 2):
            ids = np.arange(1, count + 1, dtype=np.uint32)
            of = np.zeros(V, dtype=np.uint16)
            names = tuple(f"d{number}" for number in ids)
            writer.commit_districts(Districts(1, 10, 0.0, ids, names, of), [])
            assert (await read(app, path)).json["districts"] == count
    run.layouts_path.write_bytes(b"no database")
    assert (await read(app, path)).json.get("districts") is None


async def test_a_run_without_a_map_has_a_picture_of_one_lamp(app: FastAPI, run: RunFolder) -> None:
    answer = await read(app, f"/api/runs/{run.id}/picture.png")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    image = pixels(answer.body)
    assert image.shape == (*SMALL[::-1], 3)
    brightest = np.unravel_index(image.sum(axis=2).argmax(), SMALL[::-1])
    assert np.abs(np.subtract(brightest, (SMALL[1] / 2, SMALL[0] / 2))).max() <= 1
    assert image[0, 0].max() < 40, "the rest is dark"


async def test_the_picture_is_that_of_the_last_map_and_is_kept(app: FastAPI, run: RunFolder) -> None:
    path = f"/api/runs/{run.id}/picture.png"
    single = await read(app, path)
    write_layouts(run, layout(1, 10), layout(1, 20, Method.LINEAR))
    first = await read(app, path)
    assert first.headers["etag"] != single.headers["etag"]
    assert first.body != single.body
    again = await read(app, path, **{"if-none-match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    write_layouts(run, layout(1, 30))
    assert (await read(app, path)).headers["etag"] != first.headers["etag"]
    assert (await read(app, "/api/runs/nothing/picture.png")).status == 404


async def test_a_damaged_map_is_a_dark_picture_or_a_clear_refusal(app: FastAPI, run: RunFolder) -> None:
    run.layouts_path.write_bytes(b"no database")
    assert (await read(app, f"/api/runs/{run.id}/picture.png")).status == 200
    (run.path / "vocabulary.json").write_text("{")
    assert (await read(app, f"/api/runs/{run.id}/picture.png")).status in (200, 409)


def test_a_picture_of_a_class_is_small_and_of_any_vocabulary_has_its_price() -> None:
    assert PICTURE_BYTES + LAMP_BYTES * 4_000 < LARGE_RESPONSE_BYTES
    for size in (1, 7, 50_000):
        random = np.random.default_rng(size)
        xy = random.standard_normal((size, 2)).astype(np.float32)
        image = pixels(draw_night(xy, np.arange(size) % 9 - 1, np.ones(size)))
        assert image.shape == (*SMALL[::-1], 3)
        assert image.max() > 20, f"{size} lamps can be seen"
        assert np.median(image) < 250, f"{size} lamps do not blind"
    alike = np.zeros((5, 2), np.float32)
    assert pixels(draw_night(alike, np.zeros(5, np.int64), np.ones(5))).max() > 100
    far = np.array([[1e30, -1e30], [-1e30, 1e30], [0, 0]], np.float32)
    draw_night(far, np.zeros(3, np.int64), np.ones(3))
