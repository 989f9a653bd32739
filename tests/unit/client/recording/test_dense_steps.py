"""Steps in which every row moves, as with AdamW: of a small matrix each is exact, in the record, in tiles and after an import."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.analysis.analyst import TileBuilder
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import no_progress
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.finalise import compact_run
from lamplighter.wire.binary import Floats
from lamplighter.wire.row_frames import Rows

V, D, STEPS, EVERY = 65, 16, 130, 50
TOKENS = [f"word{i}" for i in range(V)]


def train(folder: Path) -> list[Floats]:
    """Record a walk with momentum. Return the matrix after each step."""
    random = np.random.default_rng(0)
    weights = random.normal(scale=0.02, size=(V, D)).astype(np.float32)
    speed, kept = np.zeros_like(weights), [weights.copy()]
    with lamplighter.record(
        folder, TOKENS, embedding=weights, keyframe_every=EVERY, on_error="raise"
    ) as recorder:
        for _ in range(STEPS):
            speed = np.float32(0.9) * speed + random.normal(scale=1e-4, size=(V, D)).astype(np.float32)
            weights += speed
            recorder.step(weights, [1, 2], 1.0)
            kept.append(weights.copy())
    return kept


def require_exact(folder: Path, kept: list[Floats]) -> None:
    run = lamplighter.open(folder)
    assert run.snapshot_steps().tolist() == list(range(STEPS + 1))
    for step in range(STEPS + 1):
        assert run.snapshot(step).tobytes() == kept[step].tobytes()
    path = run.path("word7")
    assert path.vectors.tobytes() == np.array([matrix[7] for matrix in kept]).tobytes()
    frames = [frame for frame in run.play(60, channels=["rows"]) if isinstance(frame, Rows)]
    assert [frame.step for frame in frames] == list(range(60, STEPS + 1))
    for frame in frames:
        assert frame.whole
        assert frame.vectors.tobytes() == kept[frame.step].tobytes()


def test_every_step_is_exact(tmp_path: Path) -> None:
    kept = train(tmp_path / "mine")
    require_exact(tmp_path / "mine", kept)
    assert not [event for event in lamplighter.open(tmp_path / "mine").events() if event.kind == "thinned"]
    export_run(RunFolder(tmp_path / "mine"), "zip", out=tmp_path / "run.zip")
    store = RunStore(tmp_path / "others")
    import_zip(store, tmp_path / "run.zip", no_progress)
    require_exact(store.runs()[0].path, kept)


def test_tiles_pack_them(tmp_path: Path) -> None:
    kept = train(tmp_path / "mine")
    run = RunFolder(tmp_path / "mine")
    builder = TileBuilder(run, 1.0)
    assert builder.build_rest(lambda: False)
    builder.close(sealed=True)
    assert compact_run(run)
    require_exact(tmp_path / "mine", kept)
    moved = STEPS * V * D * 4
    assert run.tiles_path.stat().st_size < 0.75 * moved
    with StepsReader(run.steps_path) as reader:
        assert not reader.has_rows()


@pytest.mark.parametrize("every", [7, 1])
def test_of_a_larger_matrix_keyframes_are_and_the_run_says_so(every: int, tmp_path: Path) -> None:
    size, dim = 1_100, 60
    weights = np.zeros((size, dim), np.float32)
    with lamplighter.record(
        tmp_path / "mine",
        list(map(str, range(size))),
        embedding=weights,
        keyframe_every=every,
        first_step=100,
    ) as recorder:
        for step in range(1, 17):
            weights[: 100 if step == 1 else size] += 1
            recorder.step(weights, [1], 1.0)
    run = lamplighter.open(tmp_path / "mine")
    assert run.snapshot_steps().tolist() == (list(range(17)) if every == 1 else [0, 1, 7, 14, 16])
    said = [event.message for event in run.events() if event.kind == "thinned"]
    assert len(said) == (every > 1)
    assert every == 1 or "more than half of the rows moved in step 102" in said[0]


def test_they_leave_room_for_keyframes(tmp_path: Path) -> None:
    steps, budget, largest = 900, 4_000_000, 0
    weights = np.zeros((V, D), np.float32)
    with lamplighter.record(
        tmp_path / "mine",
        TOKENS,
        embedding=weights,
        keyframe_every=EVERY,
        disk_budget=budget,
        on_error="raise",
    ) as recorder:
        for step in range(1, steps + 1):
            weights += 1
            recorder.step(weights, [1], 1.0)
            if step % 50 == 0:
                largest = max(largest, sum(path.stat().st_size for path in recorder.folder.iterdir()))
    assert largest <= budget
    kept = lamplighter.open(tmp_path / "mine").snapshot_steps()
    exact = int(np.flatnonzero(np.diff(kept) > 1)[0])
    # As long as the budget has room each step is exact, and from there on keyframes are, to the end.
    assert exact > 200
    after = kept[exact + 1 :].tolist()
    assert len(after) >= 8
    assert {*after} <= {*range(0, steps, EVERY), steps}
    assert after[-1] == steps
