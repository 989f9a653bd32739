"""One token's gradient through the steps, and its distance to another token.

A token's path: its vectors, its motion, and its places on the map.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.analysis.analyst import tile_next_stretch
from lamplighter.geometry.motion import measure_motion
from lamplighter.runfolder.reading.disk_usage import PART_NAMES
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepRecord
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.serving.reading.step_reading import MIN_POINTS
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.layout_frames import Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Rows
from tests.support.folders import D, FakeTrainer, V, layout, make_run, pulse, write_layouts
from tests.unit.serving.routes.recorded_steps import STEPS, arrow, ask, npy, vectors_of


def a_pulse(step: int, batch: list[int], counts: list[int], gradient: dict[int, float]) -> bytes:
    """Encode a step of which only batch and gradient matter."""
    none = np.empty(0, dtype=np.uint32)
    return encode(
        Pulse(
            attempt=1, step=step, time=0.0, vocabulary=V, loss=1.0, learning_rate=0.1, tokens_per_second=1.0,
            step_seconds=0.1, observe_seconds=0.0, batch_ids=np.array(batch, dtype=np.uint32),
            batch_counts=np.array(counts, dtype=np.uint32), gradient_ids=np.array(sorted(gradient), dtype=np.uint32),
            gradient_norms=np.array([gradient[id] for id in sorted(gradient)], dtype=np.float32), moved_ids=none,
            moved_distances=np.empty(0, dtype=np.float32), layer_norms=np.empty(0, dtype=np.float32),
        )
    )  # fmt: skip


async def test_a_gradient_is_told_where_the_token_was_lit(app: FastAPI, tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin()
    steps = [
        ([3, 7], [2, 1], {3: 0.5, 7: 1.0}),
        ([7], [4], {7: 2.0}),
        ([3], [1], {7: 0.25}),  # in the batch, without a gradient: 0
        ([7], [1], {3: 4.0}),  # not in the batch, with a gradient, as with tied weights
        ([3], [3], {}),  # no gradients recorded
    ]
    for step, (batch, counts, gradient) in enumerate(steps, 1):
        trainer.writer.commit(StepRecord(step, a_pulse(step, batch, counts, gradient), b"x"))
    run = trainer.run
    told = (await ask(app, run, "tokens/3/path?of=gradient")).json
    assert told == {
        "token_id": 3, "steps": [1, 3, 4, 5], "occurrences": [2, 1, 0, 3], "gradient": [0.5, 0.0, 4.0, None]
    }  # fmt: skip
    assert (await ask(app, run, "tokens/3/path?of=gradient&from=2&to=3")).json["steps"] == [3]
    assert (await ask(app, run, "tokens/9/path?of=gradient")).json["steps"] == []
    await ask(app, run, f"tokens/{V}/path?of=gradient", 404)
    trainer.crash()


async def test_a_gradient_is_what_the_pulses_say_and_of_the_line_that_counts(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer.run
    first = await ask(app, run, "tokens/3/path?of=gradient")
    trainer.start_attempt_after(20).train(30)
    monkeypatch.setattr("lamplighter.runfolder.reading.row_deltas._BATCH", 7)
    with StepsReader(run.steps_path) as reader:
        pulses = [decode_as(record, Pulse) for _, record in reader.pulses(1, 100)]
    lit = [pulse.step for pulse in pulses if 3 in pulse.batch_ids]
    told = await ask(app, run, "tokens/3/path?of=gradient")
    assert told.json["steps"] == lit != first.json["steps"]
    assert told.headers["etag"] != first.headers["etag"]
    records = npy(await ask(app, run, "tokens/3/path?of=gradient&format=npy&to=40&attempt=2"))
    assert records["step"].tolist() == [step for step in lit if step <= 40]
    assert set(records["gradient"]) == {1.0}
    few = (await ask(app, run, f"tokens/3/path?of=gradient&most={MIN_POINTS}")).json["steps"]
    assert set(few) <= set(lit)
    monkeypatch.setattr("lamplighter.serving.routes.tokens.LAST_INDEXED_STEP", 10)
    assert "from and to" in (await ask(app, run, "tokens/3/path?of=gradient", 422)).json["detail"]
    await ask(app, run, "tokens/3/path?of=gradient&from=41")


async def test_how_far_two_tokens_are_through_the_steps(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    whole = np.stack([trainer.matrices[step] for step in range(STEPS + 1)]).astype(np.float64)
    a, b = whole[:, 3], whole[:, 8]
    before = await ask(app, run, "tokens/3/path?of=pair&with=8")
    told = before.json
    assert (told["token_id"], told["with"], told["steps"]) == (3, 8, list(range(STEPS + 1)))
    np.testing.assert_allclose(told["distance"], np.linalg.norm(a - b, axis=1))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(told["cosine"], (a * b).sum(axis=1) / lengths)
    # Tiles give the same answer, and a token's distance to itself is exactly zero.
    trainer.end()
    with MatrixHistory(run) as history, TilesWriter(run.tiles_path) as writer:
        while tile_next_stretch(history, writer, over=True):
            pass
    assert (await ask(app, run, "tokens/3/path?of=pair&with=8")).body == before.body
    assert set((await ask(app, run, "tokens/3/path?of=pair&with=3")).json["distance"]) == {0.0}
    assert (await ask(app, run, "tokens/3/path?of=pair&with=9")).headers["etag"] != before.headers["etag"]
    await ask(app, run, f"tokens/3/path?of=pair&with={V}", 404)
    for path in ("tokens/3/path?of=pair", "tokens/3/path?of=motion&with=8"):
        assert "with" in (await ask(app, run, path, 422)).json["detail"]


async def test_the_record_tells_attempts_and_room_by_part(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    (run.checkpoints / "7.safetensors").write_bytes(b"x" * 500)
    run.waypoints.mkdir()
    (run.waypoints / "7.safetensors").hardlink_to(run.checkpoints / "7.safetensors")
    (run.waypoints / "5.safetensors").write_bytes(b"x" * 300)
    trainer.start_attempt_after(20).train(2)
    told = (await ask(app, run, "record")).json
    assert [(one["attempt"], one["first_step"]) for one in told["attempts"]] == [(1, 0), (2, 21)]
    assert told["attempts"][0]["opened"] <= told["attempts"][1]["opened"]
    assert set(told["parts"]) == set(PART_NAMES)
    # A file of two names takes room once.
    assert (told["parts"]["checkpoints"], told["parts"]["waypoints"]) == (500, 300)
    assert told["parts"]["corpus"] > 0
    assert sum(told["parts"].values()) == run.bytes_on_disk()
    new = make_run(RunStore(run.path.parent), prepared=False)
    assert (await ask(app, new, "record")).json["attempts"] == []


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
    monkeypatch.setattr("lamplighter.serving.reading.token_histories.BLOCK_BYTES", 4 * D * 11)
    run = trainer.run
    told = (await ask(app, run, f"tokens/1/path?most={MIN_POINTS}")).json
    assert len(told["steps"]) <= MIN_POINTS
    assert {0, 119} <= set(told["steps"])
    lengths = np.linalg.norm(vectors, axis=1)
    assert {77, int(lengths.argmin())} <= set(told["steps"])
    np.testing.assert_array_equal(np.array(told["vectors"], dtype=np.float32), vectors[told["steps"]])
    monkeypatch.setattr("lamplighter.serving.reading.token_histories.MAX_BYTES", 4 * D * 30)
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
    monkeypatch.setattr("lamplighter.serving.reading.token_histories.BLOCK_BYTES", 4 * D * 7)
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
