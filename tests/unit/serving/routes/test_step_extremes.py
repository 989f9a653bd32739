"""Fewer steps than there are, with the extremes of their losses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepRecord
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.downsampling import MIN_POINTS, keep_extremes
from lamplighter.wire.frames import encode
from tests.support.folders import FakeTrainer, make_run, pulse
from tests.unit.serving.routes.recorded_steps import ask

pytestmark = pytest.mark.anyio


def with_losses(folder: Path, losses: list[float]) -> FakeTrainer:
    trainer = FakeTrainer(make_run(RunStore(folder)))
    trainer.writer.start_attempt(0)
    with trainer.writer.transaction():
        for step, loss in enumerate(losses, start=1):
            trainer.writer.commit(StepRecord(step, encode(pulse(1, step, loss=loss)), b"x"))
    return trainer


async def test_fewer_steps_keep_the_extremes(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = [2.0 + math.sin(step / 50) for step in range(1_000)]
    losses[123], losses[700], losses[801] = 9.0, -4.0, float("nan")
    trainer = with_losses(tmp_path, losses)
    run = trainer.run
    told = (await ask(app, run, "steps?most=40")).json
    by_step = {item["step"]: item["loss"] for item in told["items"]}
    assert (told["extremes"], told["every"]) == (True, 1)
    assert len(by_step) <= 40
    assert {1, 124, 701, 802, 1_000} <= set(by_step)
    assert (by_step[124], by_step[701], by_step[802]) == (9.0, -4.0, None)
    assert list(by_step) == sorted(by_step)
    part = (await ask(app, run, "steps?from=100&to=150&most=20")).json
    assert 124 in [item["step"] for item in part["items"]]
    assert all(100 <= item["step"] <= 150 for item in part["items"])
    # The range has no more steps than `most`, so all are listed.
    all_there = (await ask(app, run, "steps?from=100&to=119&most=20")).json
    assert [item["step"] for item in all_there["items"]] == list(range(100, 120))
    plain = (await ask(app, run, "steps?every=10")).json
    assert (plain["every"], plain["extremes"], len(plain["items"])) == (10, False, 100)
    for bad in ("most=19", "most=5001", "most=40&every=2"):
        await ask(app, run, f"steps?{bad}", 422)
    # A run too long to search for extremes says so.
    monkeypatch.setattr("lamplighter.serving.reading.pulse_selection.LAST_INDEXED_STEP", 500)
    far = (await ask(app, run, "steps?most=40")).json
    assert (far["extremes"], far["every"], len(far["items"])) == (False, 25, 40)
    trainer.crash()


async def test_losses_are_read_once_and_follow_the_run(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = with_losses(tmp_path, [5.0] * 300)
    run = trainer.run
    read: list[tuple[int, int]] = []
    plain = StepsReader.pulses

    def counted(self: StepsReader, first: int, last: int, limit: int = 1_000) -> Any:
        read.append((first, last))
        return plain(self, first, last, limit)

    monkeypatch.setattr(StepsReader, "pulses", counted)
    await ask(app, run, "steps?most=20")
    assert read
    read.clear()
    await ask(app, run, "steps?most=30")
    assert read == []
    # A new attempt: superseded steps are read again, the others are not.
    trainer.writer.start_attempt(201)
    for step in range(201, 301):
        trainer.writer.commit(
            StepRecord(step, encode(pulse(2, step, loss=7.0 if step == 250 else 6.0)), b"x")
        )
    items = (await ask(app, run, "steps?most=20")).json["items"]
    assert min(first for first, _ in read) == 201
    assert 250 in [item["step"] for item in items]
    assert {item["loss"] for item in items if item["step"] > 200} == {6.0, 7.0}
    assert {item["loss"] for item in items if item["step"] <= 200} == {5.0}
    trainer.crash()


def test_extremes_are_kept_of_every_series() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(5_000), rng.standard_normal(5_000)
    a[17], a[4_321], b[2_500], b[33] = 99, -99, 99, np.nan
    for most in (MIN_POINTS, 51, 500, 4_999):
        kept = keep_extremes([a, b], most)
        assert len(kept) <= most
        assert {0, 17, 33, 2_500, 4_321, 4_999} <= set(kept.tolist())
        assert (np.diff(kept) > 0).all()
    assert keep_extremes([a, b], 5_000).tolist() == list(range(5_000))
    assert keep_extremes([np.empty(0)], 20).tolist() == []
    assert len(keep_extremes([np.full(100, np.nan)], 20)) <= 20
