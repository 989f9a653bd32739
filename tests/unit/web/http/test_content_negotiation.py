"""A snapshot in every format, read back by each format's own library; and the choice between formats."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from fastapi import FastAPI
from safetensors.numpy import load as load_safetensors

from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.frames import decode
from lamplighter.wire.row_frames import Rows
from tests.support.asgi import HOST, Answer, call
from tests.support.folders import TOKENS, D, FakeTrainer, V, make_run

FEW = [17, 3, 7]
TYPES = {
    "frame": "application/octet-stream",
    "npy": "application/x-npy",
    "safetensors": "application/x-safetensors",
    "parquet": "application/vnd.apache.parquet",
}


@pytest.fixture
def trainer(tmp_path: Path) -> FakeTrainer:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(35)
    assert trainer.end()
    return trainer


async def ask(app: FastAPI, path: str, status: int = 200, **headers: str) -> Answer:
    answer = await call(app, "GET", path, {"host": HOST, **headers})
    assert answer.status == status, answer.body
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
    return answer


def of_table(table: Any) -> dict[str, Any]:
    vectors = table["vector"].combine_chunks()
    assert vectors.type == pyarrow.list_(pyarrow.float32(), D)
    assert table.schema.metadata[b"step"] == b"27"
    return {
        **table.drop_columns("vector").to_pydict(),
        "vectors": vectors.flatten().to_numpy().reshape(-1, D),
    }


def of_parquet(body: bytes) -> dict[str, Any]:
    return of_table(pyarrow.parquet.read_table(io.BytesIO(body)))


def of_safetensors(body: bytes) -> dict[str, Any]:
    found = load_safetensors(body)
    return {"token_id": found["token_ids"].tolist(), "vectors": found["embedding"]}


def of_npy(body: bytes) -> dict[str, Any]:
    return {"vectors": np.load(io.BytesIO(body), allow_pickle=False)}


READERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "npy": of_npy, "safetensors": of_safetensors, "parquet": of_parquet,
}  # fmt: skip


@pytest.mark.parametrize("ids", [None, FEW])
@pytest.mark.parametrize("name", READERS)
async def test_every_format_gives_back_every_bit(
    app: FastAPI, trainer: FakeTrainer, name: str, ids: list[int] | None
) -> None:
    query = "" if ids is None else f"&token_ids={','.join(map(str, ids))}"
    answer = await ask(app, f"/api/runs/{trainer.run.id}/snapshots/27?format={name}{query}")
    assert answer.headers["content-type"].split(";")[0] == TYPES[name]
    assert answer.headers["x-lamplighter-step"] == "27"
    wanted = list(range(V)) if ids is None else ids
    found = READERS[name](answer.body)
    np.testing.assert_array_equal(found["vectors"], trainer.matrices[27][wanted])
    assert found["vectors"].dtype == np.float32
    if "token_id" in found:
        assert found["token_id"] == wanted
    if "token" in found:
        assert found["token"] == [TOKENS[i] for i in wanted]
        assert found["count"] == [V - i for i in wanted]
        classes = {1: "animals", 2: "animals", 3: "animals", 5: "animals", 6: "marks", 7: "marks"}
        assert found["class"] == [classes.get(i) for i in wanted]


async def test_a_frame_of_some_rows_is_sorted(app: FastAPI, trainer: FakeTrainer) -> None:
    answer = await ask(app, f"/api/runs/{trainer.run.id}/snapshots/27?token_ids=17,3,7")
    frame = decode(answer.body)
    assert isinstance(frame, Rows)
    assert frame.token_ids.tolist() == [3, 7, 17]
    np.testing.assert_array_equal(frame.vectors, trainer.matrices[27][[3, 7, 17]])


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, "frame"),
        ("", "frame"),
        ("*/*", "frame"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "frame"),
        ("application/x-npy", "npy"),
        ("Application/X-NPY; charset=utf-8", "npy"),
        ("application/x-npy, text/plain, */*", "npy"),
        ("application/x-safetensors;q=0.5, application/x-npy;q=0.6", "npy"),
        ("application/x-safetensors;q=0.5, application/*;q=0.4", "safetensors"),
        ("application/octet-stream;q=0, */*;q=0.1", "npy"),
        ("*/*;q=0.1, application/x-npy;q=0, application/vnd.apache.parquet", "parquet"),
        ("application/x-safetensors;q=2, application/x-npy;q=0.1", "npy"),
        ("," * 500 + "image/png", "frame"),
    ],
)
async def test_accept_chooses(app: FastAPI, trainer: FakeTrainer, accept: str | None, wanted: str) -> None:
    given = {} if accept is None else {"accept": accept}
    answer = await ask(app, f"/api/runs/{trainer.run.id}/snapshots/27?token_ids=1", **given)
    assert answer.headers["content-type"].split(";")[0] == TYPES[wanted]
    assert answer.headers["vary"] == "Accept"


async def test_format_wins_over_accept_and_what_there_is_is_said(app: FastAPI, trainer: FakeTrainer) -> None:
    base = f"/api/runs/{trainer.run.id}/snapshots/27"
    answer = await ask(app, f"{base}?format=npy", accept="application/x-safetensors")
    assert answer.headers["content-type"].startswith("application/x-npy")
    for accept in ("image/png", "*/*;q=0", "application/x-npy;q=0.000", "application/json"):
        detail = (await ask(app, base, 406, accept=accept)).json["detail"]
        assert all(f"{name} ({media_type})" in detail for name, media_type in TYPES.items())
    for gone in ("json", "arrow", "tsv"):
        refused = (await ask(app, f"{base}?format={gone}", 422)).json
        assert all(f"'{name}'" in refused["detail"] for name in TYPES), refused


@pytest.mark.parametrize(
    ("ids", "status", "said"),
    [("", 422, "list of token ids"), ("3,", 422, "list"), ("a", 422, "list"), ("-1", 422, "list"), ("1e3", 422, "list"),
     ("٣", 422, "list"), ("3,3", 422, "twice"), ("1,40", 404, "no token 40"), ("99999999", 422, "list"),
     (",".join(["1"] * 4_001), 422, "at most 4,000")],
)  # fmt: skip
async def test_rejects_invalid_token_ids(
    app: FastAPI, trainer: FakeTrainer, ids: str, status: int, said: str
) -> None:
    for place in ("snapshots/27", "vectors"):
        answer = await ask(app, f"/api/runs/{trainer.run.id}/{place}?token_ids={ids}", status)
        assert said in answer.json["detail"]
        if status == 422:
            assert answer.json["errors"][0]["field"] == "token_ids"


async def test_without_pyarrow_it_is_said_how_to_get_it(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, name, None)
    base = f"/api/runs/{trainer.run.id}"
    for path in (
        "snapshots/27?format=parquet",
        "vectors?format=arrow",
        "tokens/1/path?format=arrow",
    ):
        assert "pip install pyarrow" in (await ask(app, f"{base}/{path}", 501)).json["detail"]
    assert (await ask(app, f"{base}/snapshots/27?format=npy")).status == 200


async def test_too_much_for_json(app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamplighter.web.http.response_cost.JSON_NUMBERS", 100)
    base = f"/api/runs/{trainer.run.id}/vectors?from=27&to=27&format=json"
    assert "token_ids" in (await ask(app, base, 422)).json["detail"]
    assert len((await ask(app, f"{base}&token_ids=1,2")).json["vectors"][0]) == 2


async def test_nan_is_null_in_json(app: FastAPI, tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path)))
    trainer.matrix[1, 0] = np.nan
    trainer.matrix[1, 1] = np.inf
    trainer.begin().train(1).end()
    asked = f"/api/runs/{trainer.run.id}/vectors?from=1&to=1&token_ids=1&format=json"
    ((row,),) = (await ask(app, asked)).json["vectors"]
    assert row[:2] == [None, None]
    assert all(isinstance(value, float) for value in row[2:])
