"""A token's path: its vectors, its motion, and its places on the map."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.geometry.motion import measure_motion
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepRecord
from lamplighter.serving.reading.downsampling import MIN_POINTS
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Method
from lamplighter.wire.row_frames import Rows
from tests.support.folders import D, FakeTrainer, V, layout, make_run, pulse, write_layouts
from tests.unit.serving.routes.recorded_steps import STEPS, arrow, ask, npy, vectors_of

pytestmark = pytest.mark.anyio


async def test_a_path_of_vectors(app: FastAPI, trainer: FakeTrainer, whole: np.ndarray) -> None:
    run = trainer.run
    told = (await ask(app, run, "tokens/3/path?from=4&to=20")).json
    assert (told["token_id"], told["steps"]) == (3, list(range(4, 21)))
    np.testing.assert_array_equal(np.array(told["vectors"], dtype=np.float32), whole[4:21, 3])
    records = npy(await ask(app, run, "tokens/3/path?format=npy"))
    np.testing.assert_array_equal(records["vector"], whole[:, 3])
    assert records["step"].tolist() == list(range(STEPS + 1))
    table = arrow(await ask(app, run, "tokens/3/path?format=arrow"))
    np.testing.assert_array_equal(vectors_of(table), whole[:, 3])
    assert table["step"].to_pylist() == list(range(STEPS + 1))
    few = (await ask(app, run, f"tokens/3/path?most={MIN_POINTS}")).json["steps"]
    assert len(few) <= MIN_POINTS
    assert (few[0], few[-1]) == (0, STEPS)
    await ask(app, run, f"tokens/{V}/path", 404)
    await ask(app, run, "tokens/3/path?from=36", 404)
    await ask(app, run, "tokens/3/path?of=dreams", 422)
    await ask(app, run, "tokens/3/path?most=3", 422)


async def test_a_path_read_in_blocks_keeps_what_stands_out(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin()
    one = np.array([1], dtype=np.uint32)
    vectors = np.random.default_rng(3).standard_normal((120, D)).astype(np.float32)
    vectors[0] = trainer.matrix[1]
    vectors[77] *= 50
    with trainer.writer.transaction():
        for step in range(1, 120):
            rows = encode(Rows(1, step, 0.0, V, one, vectors[step : step + 1]))
            trainer.writer.commit(StepRecord(step, encode(pulse(1, step, one)), b"x", rows))
    monkeypatch.setattr("lamplighter.serving.reading.vector_paths.BLOCK_BYTES", 4 * D * 11)
    run = trainer.run
    told = (await ask(app, run, f"tokens/1/path?most={MIN_POINTS}")).json
    assert len(told["steps"]) <= MIN_POINTS
    assert {0, 119} <= set(told["steps"])
    lengths = np.linalg.norm(vectors, axis=1)
    assert {77, int(lengths.argmin())} <= set(told["steps"])
    np.testing.assert_array_equal(np.array(told["vectors"], dtype=np.float32), vectors[told["steps"]])
    monkeypatch.setattr("lamplighter.serving.reading.path_answers.MAX_BYTES", 4 * D * 30)
    assert "most" in (await ask(app, run, "tokens/1/path", 422)).json["detail"]


async def test_a_path_of_motion(
    app: FastAPI, trainer: FakeTrainer, whole: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer.run
    told = (await ask(app, run, "tokens/3/path?of=motion&from=5")).json
    rows = whole[5:, 3].astype(np.float64)
    np.testing.assert_allclose(told["length"], np.linalg.norm(rows, axis=1))
    assert told["displacement"][0] is None
    assert told["turned"][0] is None
    np.testing.assert_allclose(told["displacement"][1:], np.linalg.norm(np.diff(rows, axis=0), axis=1))
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    since = np.degrees(np.arccos(np.clip(units @ units[0], -1, 1)))
    np.testing.assert_allclose(told["turned_since_first"], since, atol=1e-5)
    step = np.degrees(np.arccos(np.clip((units[1:] * units[:-1]).sum(axis=1), -1, 1)))
    np.testing.assert_allclose(told["turned"][1:], step, atol=1e-5)
    # Reading in blocks gives the same answer.
    monkeypatch.setattr("lamplighter.serving.reading.vector_paths.BLOCK_BYTES", 4 * D * 7)
    assert (await ask(app, run, "tokens/3/path?of=motion&from=5")).json == told
    records = npy(await ask(app, run, "tokens/3/path?of=motion&from=5&format=npy"))
    assert records.dtype.names == ("step", "length", "displacement", "turned", "turned_since_first")
    np.testing.assert_array_equal(records["length"], told["length"])


async def test_a_path_on_the_map(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    await ask(app, run, "tokens/3/path?of=places", 404)
    write_layouts(
        run, layout(1, 0, Method.LINEAR), *(layout(1, step) for step in range(0, 35, 5)), layout(7, 20)
    )
    told = (await ask(app, run, "tokens/3/path?of=places&from=3&to=21")).json
    assert (told["method"], told["steps"]) == ("umap", [5, 10, 15, 20])
    for step, x, y in zip(told["steps"], told["x"], told["y"], strict=True):
        np.testing.assert_allclose([x, y], layout(1, step).coordinates[3], atol=1e-3)
    assert (await ask(app, run, "tokens/3/path?of=places&method=linear")).json["steps"] == [0]
    assert npy(await ask(app, run, "tokens/3/path?of=places&format=npy")).dtype.names == ("step", "x", "y")


def test_motion_of_a_vector_that_is_nothing_or_hardly_turns() -> None:
    rows = np.array([[1, 0], [1, 0], [0, 2], [0, 0], [1, 1e-5]], dtype=np.float32)
    found = measure_motion(rows)
    np.testing.assert_allclose(found.length, [1, 1, 2, 0, 1])
    np.testing.assert_allclose(found.displacement, [np.nan, 0, math.sqrt(5), 2, 1])
    np.testing.assert_allclose(found.turned[:3], [np.nan, 0, 90])
    assert np.isnan(found.turned[3:]).all()
    # An arc cosine would give 0 here.
    np.testing.assert_allclose(found.turned_since_first[4], math.degrees(1e-5), rtol=1e-3)
