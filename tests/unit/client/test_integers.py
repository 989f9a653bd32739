"""Steps and ids of any integer type: what numpy counts with is what the run is asked with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamplighter
from lamplighter.analysis.analyst import tile_next_stretch
from lamplighter.client.sources.vocabulary_files import make_vocabulary
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.tables.tiles import TilesWriter
from tests.support.synthetic_runs.growing_run import GrowingRun

V, D = 20, 4
TOKENS = [f"word{i}" for i in range(V)]
KINDS = (np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)


def test_every_matrix_of_a_recorded_run_is_had_by_the_steps_that_the_run_gives(tmp_path: Path) -> None:
    choose = np.random.default_rng(1)
    weights = choose.normal(size=(V, D)).astype(np.float32)
    kept = [weights.copy()]
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights, keyframe_every=10) as recorder:
        for _ in range(95):
            ids = choose.integers(0, V, size=3)
            weights[np.unique(ids)] *= np.float32(0.9)
            recorder.step(weights, ids, np.float32(1.0), learning_rate=np.float32(0.1))  # pyright: ignore[reportArgumentType]
            kept.append(weights.copy())
    run = lamplighter.open(tmp_path / "mine")
    steps = run.snapshot_steps()
    assert len(steps) == 96
    wrong = [int(step) for step in steps if run.snapshot(step).tobytes() != kept[step].tobytes()]
    assert wrong == []
    for kind in KINDS:
        assert run.snapshot(kind(57)).tobytes() == kept[57].tobytes()
        assert run.path(kind(3)).vectors.tobytes() == np.stack(kept)[:, 3].tobytes()
        assert [pulse.step for pulse in run.steps(kind(7), kind(9))] == [7, 8, 9]
        assert [frame.step for frame in run.play(kind(7), kind(9), "pulse")] == [7, 8, 9]


def test_every_matrix_of_a_run_in_tiles_too(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=60, dim=4, keyframe_every=20)
    with made.writer:
        for _ in range(4):
            made.grow(150, rows=8)
            with MatrixHistory(made.folder) as history, TilesWriter(made.folder.tiles_path) as writer:
                while tile_next_stretch(history, writer, over=False):
                    pass
        run = lamplighter.open(made.folder.path)
        with MatrixHistory(made.folder) as history:
            assert history.stretches()
            for kind in KINDS:
                np.testing.assert_array_equal(history.snapshot(kind(33)).vectors, made.history[33])
        for step in run.snapshot_steps()[::7]:
            np.testing.assert_array_equal(run.snapshot(step), made.history[int(step)])
        for kind in KINDS:
            np.testing.assert_array_equal(run.path(kind(59)).vectors, [m[59] for m in made.history.values()])


@pytest.mark.parametrize(
    "wrong", [3.0, np.float32(3.0), True, np.bool_(True), -1, np.int64(-1), "3", np.arange(2)]
)
def test_rejects_invalid_step(wrong: Any, tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4)
    with made.writer:
        made.grow(12)
        run = lamplighter.open(made.folder.path)
        address = "http://127.0.0.1:9/api/runs/a"
        for name, ask in (
            ("step", lambda: run.snapshot(wrong)),
            ("step", lambda: run.layout(wrong)),
            ("first", lambda: run.steps(wrong)),
            ("last", lambda: run.steps(1, wrong)),
            ("first", lambda: run.play(wrong)),
            ("last", lambda: run.play(0, wrong)),
            ("from_step", lambda: lamplighter.follow(address, from_step=wrong)),
            ("steps", lambda: lamplighter.record(tmp_path / "mine", TOKENS, steps=wrong)),
        ):
            with pytest.raises(lamplighter.InputError, match=rf"^{name}: .* (not a whole number|too small)"):
                ask()


def test_rejects_invalid_token(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4)
    with made.writer:
        run = lamplighter.open(made.folder.path)
        for wrong in (1.0, True, np.float64(2)):
            with pytest.raises(lamplighter.InputError, match=r"token: .* not a whole number"):
                run.path(wrong)  # pyright: ignore[reportArgumentType]
            with pytest.raises(lamplighter.InputError, match=r"class 'x': .* not a whole number"):
                make_vocabulary(TOKENS, classes={"x": [wrong]})  # pyright: ignore[reportArgumentType]
        with pytest.raises(lamplighter.NoSuchTokenError, match="from 0 to 29"):
            run.token_id(np.int64(-1))


def test_a_loop_may_count_in_numpy(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).normal(size=(V, D)).astype(np.float32)
    eight = np.int64(8)
    with lamplighter.record(
        tmp_path / "mine", TOKENS, embedding=weights, steps=eight, keyframe_every=np.uint8(4),
        disk_budget=np.int64(5_000_000), counts=np.arange(V), classes={"even": np.arange(0, V, 2)},  # pyright: ignore[reportArgumentType]
    ) as recorder:  # fmt: skip
        for at in range(8):
            recorder.step(weights * np.float32(at + 2), [np.int64(1), np.uint8(2)], 1.0)
    run = lamplighter.open(tmp_path / "mine")
    assert (run.status.steps, run.recipe.cadence.keyframe_every) == (8, 4)
    assert run.vocabulary.classes["even"] == tuple(range(0, V, 2))
    assert json.loads((run.folder / "recipe.json").read_text())["disk_budget"] == 5_000_000
