"""One token's gradient through the steps, and its distance to another token."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.analysis.tile_builder import tile_next_stretch
from lamplighter.runfolder.reading.disk_usage import PART_NAMES
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepRecord
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.serving.reading.downsampling import MIN_POINTS
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.pulse_frames import Pulse
from tests.support.folders import FakeTrainer, V, make_run
from tests.unit.serving.routes.recorded_steps import STEPS, ask, npy

pytestmark = pytest.mark.anyio


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
    monkeypatch.setattr("lamplighter.runfolder.reading.gradient_history._BATCH", 7)
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
    monkeypatch.setattr("lamplighter.serving.routes.token_paths.LAST_INDEXED_STEP", 10)
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
