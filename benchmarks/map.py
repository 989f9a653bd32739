"""Speed, stability and trust of the living map, together: a map that never moves would win the first two.

- Speed: one live frame (neighbours, graph, optimiser, alignment, trust) against `umap.UMAP` with the same
  neighbours, minimum distance and spread: a cold fit, and a fit of ten epochs, as many as a frame has, that starts from
      the positions of the previous fit. Compiled, one thread of BLAS and of umap-learn; the map has two from 5,000 tokens on.
  Against a fit in seconds of processor time, both threads counted; a frame alone on the clock, so measure it on a machine with
  two idle cores. Synthetic spaces of clusters, with a few moving rows.
- Quality: recorded runs of Lamptown and of the manuals, a frame every `EVERY` steps: the living map beside
  the classic refit, PCA and a map that never moves (`map_quality.py`).
- Pace: layouts a second of a real projector beside a real trainer.
- Memory: the peak of a real projector, from its start to the end of a map of 50,000 tokens.

`LAMPLIGHTER_BENCH_RUNS` names a folder of runs made earlier. Single-threaded measurements run in a separate process.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.made_up import made_up_clusters, move_rows
from benchmarks.support.map_quality import measure_quality
from benchmarks.support.report import judge, report, take
from lamplighter.client.checkpoint_run import still
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.layout_frames import Method
from living_map.incremental_umap import IncrementalUmap
from living_map.settings import MapSettings
from living_map.trust import Trust, TrustProbe
from tests.support.runs import finish, start_worker
from tests.support.waiting import wait_until

STEPS, EVERY = 450, 3
"""Length of a recorded run, and the number of steps between two frames."""
BEFORE, FRAMES = 10, 9
"""Frames in which as many rows move before those that are timed."""
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "NUMBA")}

Places = NDArray[np.float32]


def main() -> None:
    """Measure and print."""
    for part in PARTS:
        command = [sys.executable, "-m", "benchmarks.map", part]
        with subprocess.Popen(
            command, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                take(json.loads(line))
        if process.returncode > 1:
            raise AssertionError(f"the part {part} ended with {process.returncode}")


def _speed(size: int, dim: int, moves: Sequence[int], *, fits: bool = True) -> None:
    """Report the cost of a frame for each number of moving rows; `fits`: beside fits, for which a large vocabulary takes long."""
    rng = np.random.default_rng(0)
    vectors = made_up_clusters(rng, size, dim)
    layout, probe = _settled(vectors)
    if not fits:
        for moved in moves:
            _moving(layout, probe, vectors, rng, moved)
        return
    # From 4,096 tokens on umap-learn finds neighbours by another algorithm; compile it before timing.
    _fit(made_up_clusters(rng, 4_200, dim), layout.settings)
    places, cold, cold_wall = _timed(lambda: _fit(vectors, layout.settings))
    for moved in moves:
        frame, frame_wall, ranked = _moving(layout, probe, vectors, rng, moved)
        before = places
        places, warm, warm_wall = _timed(
            lambda before=before: _fit(
                vectors, layout.settings, init=before, n_epochs=layout.settings.warm_epochs
            )
        )
        facts = {
            "tokens": size, "dim": dim, "made_up": True, "rows_moved": moved, "rows_refreshed": ranked,
            "frame_seconds": frame, "frame_wall_seconds": frame_wall,
        }  # fmt: skip
        report(
            f"map_speed_{size}_{moved}", cold / frame, "times faster than a cold fit",
            cold_seconds=cold, cold_wall_seconds=cold_wall, **facts,
        )  # fmt: skip
        report(
            f"map_speed_{size}_{moved}_warm", warm / frame, "times faster than a fit of ten epochs from the last places",
            warm_seconds=warm, warm_wall_seconds=warm_wall, epochs=layout.settings.warm_epochs, **facts,
        )  # fmt: skip


def _settled(vectors: Places) -> tuple[IncrementalUmap, TrustProbe]:
    """Report the first frame, and return a map of the space that has come to rest."""
    layout, probe = IncrementalUmap(), TrustProbe(len(vectors))
    _follow_small()
    first, cpu, wall = _timed(lambda: _frame(layout, probe, vectors))
    while layout.unsettled:
        layout.draw_frame(vectors)
    settled = probe.estimate(layout.draw_frame(vectors))
    report(
        f"map_first_{len(vectors)}", wall, "seconds until the first frame, its trust included", processor_seconds=cpu,
        trust=first.trust, settled_trust=settled.trust, settled_recall=settled.recall, tokens=len(vectors),
        dim=vectors.shape[1], made_up=True, load=os.getloadavg()[0],
    )  # fmt: skip
    return layout, probe


def _follow_small() -> None:
    """Compile all that a frame needs."""
    some = made_up_clusters(np.random.default_rng(0), 6_000, 4)
    layout = IncrementalUmap()
    for _ in range(15):
        layout.draw_frame(some)
    some[:5] += 1
    layout.draw_frame(some)


def _moving(
    layout: IncrementalUmap, probe: TrustProbe, vectors: Places, rng: np.random.Generator, moved: int
) -> tuple[float, float, int]:
    """Move rows for some frames; report, and return, the medians: processor and wall seconds, and rows ranked."""
    took: list[tuple[float, float, int]] = []
    trust, recall = [], []
    for _ in range(BEFORE + FRAMES):
        move_rows(rng, vectors, moved)
        found, cpu, wall = _timed(lambda: _frame(layout, probe, vectors))
        assert layout.last_update is not None
        took.append((cpu, wall, layout.last_update.ranked))
        trust.append(found.trust)
        recall.append(found.recall)
    frame, frame_wall, ranked = np.median(took[BEFORE:], axis=0).tolist()
    report(
        f"map_frame_{len(vectors)}_{moved}", 1000 * frame_wall, "ms a frame, its trust included",
        processor_ms=1000 * frame, rows_moved=moved, rows_ranked=int(ranked), trust=float(np.mean(trust[BEFORE:])),
        recall=float(np.mean(recall[BEFORE:])), tokens=len(vectors), dim=vectors.shape[1], made_up=True,
        peak_mb=_peak(os.getpid()), load=os.getloadavg()[0],
    )  # fmt: skip
    return frame, frame_wall, int(ranked)


def _frame(layout: IncrementalUmap, probe: TrustProbe, vectors: Places) -> Trust:
    places = layout.draw_frame(vectors)
    probe.set_space(vectors)
    return probe.estimate(places)


def _fit(vectors: Places, settings: MapSettings, **more: Any) -> Places:
    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = umap.UMAP(
            metric="cosine",
            n_neighbors=settings.neighbours,
            min_dist=settings.min_dist,
            spread=settings.spread,
            **more,
        ).fit(vectors)
    return np.asarray(fitted.embedding_, dtype=np.float32)


def _timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Call it. Returns its result, and the seconds of processor time and of wall-clock time."""
    cpu, wall = time.process_time(), time.monotonic()
    result = call()
    return result, time.process_time() - cpu, time.monotonic() - wall


def _quality(kind: str) -> None:
    measure_quality(kind, _snapshots(kind), EVERY)


def _snapshots(kind: str) -> list[Places]:
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = _kept(kind) or _recorded(Path(folder), kind)
        with MatrixHistory(run) as history:
            last = min(STEPS, history.steps.newest_step()[1])
            return [at.vectors for at in history.snapshots(0, last, EVERY)]


def _kept(kind: str) -> RunFolder | None:
    folder = os.environ.get("LAMPLIGHTER_BENCH_RUNS")
    runs = [RunFolder(path) for path in Path(folder).iterdir() if path.is_dir()] if folder else []
    return next((run for run in runs if run.recipe.corpus.kind == kind), None)


def _recorded(runs: Path, kind: str) -> RunFolder:
    run = _new(runs, kind, STEPS)
    finish(start_worker(run), timeout=600)
    return run


def _new(runs: Path, kind: str, steps: int) -> RunFolder:
    recipe = {"corpus": {"kind": kind, "vocabulary_size": 4_000}, "steps": steps, "device": "cpu"}
    return RunStore(runs).create(Recipe.model_validate(recipe))


def _pace(seconds: float = 15.0) -> None:
    """Report the UMAP layouts a second beside a trainer, on Lamptown's two thousand tokens."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = _new(Path(folder), "lamptown", 100_000)
        workers = [start_worker(run, room) for room in ("training", "projection")]
        try:
            wait_until(lambda: _layouts(run) >= 10, "the living map", 120)
            time.sleep(3)
            count, step, begun = _layouts(run), read_status(run).step, time.monotonic()
            time.sleep(seconds)
            took = time.monotonic() - begun
            rate, steps = (_layouts(run) - count) / took, (read_status(run).step - step) / took
            with LayoutsReader(run.layouts_path) as layouts:
                tokens = len(run.vocabulary)
                trust = layouts.layout_entries(0)[-1].trust
        finally:
            for worker in reversed(workers):
                worker.terminate()
                worker.communicate(timeout=60)
    report(
        "map_pace",
        rate,
        "UMAP layouts/s beside a trainer",
        tokens=tokens,
        trust=trust,
        steps_per_second=steps,
    )


def _memory(size: int = 50_000, dim: int = 256) -> None:
    """Report the peak memory of a projector process, including everything it imports and compiles."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as name:
        folder = Path(name)
        np.save(folder / "town.npy", made_up_clusters(np.random.default_rng(0), size, dim))
        (folder / "tokens.json").write_text(json.dumps([f"t{n}" for n in range(size)]), "utf-8")
        run = RunFolder(folder / "still")
        still(run.path, folder / "town.npy", folder / "tokens.json")
        began, peak = time.monotonic(), 0.0
        worker = start_worker(run, "projection")
        try:
            while worker.poll() is None and time.monotonic() - began < 400:
                peak = max(peak, _peak(worker.pid))
                time.sleep(0.05)
        finally:
            worker.terminate()
            worker.communicate(timeout=60)
        layouts = _layouts(run)
    report(
        "map_memory", peak, "MB, peak of a whole projector process",
        tokens=size, dim=dim, made_up=True, umap_layouts=layouts, seconds=time.monotonic() - began,
    )  # fmt: skip


def _peak(pid: int) -> float:
    """Return the peak memory of a process so far, MB; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = (line.split() for line in status.splitlines())
    return next((int(line[1]) / 1024 for line in lines if line[:1] == ["VmHWM:"]), 0.0)


def _layouts(run: RunFolder) -> int:
    try:
        with LayoutsReader(run.layouts_path) as layouts:
            return sum(entry.method is Method.UMAP for entry in layouts.layout_entries(0))
    except FileNotFoundError:
        return 0


PARTS = {
    "huge": functools.partial(_speed, 128_000, 256, (200,), fits=False),
    "large": functools.partial(_speed, 50_000, 256, (200, 2_000, 2_500)),
    "small": functools.partial(_speed, 5_000, 64, (200,)),
    "lamptown": functools.partial(_quality, "lamptown"),
    "manuals": functools.partial(_quality, "manuals"),
    "pace": _pace,
    "memory": _memory,
}

if __name__ == "__main__":
    sys.exit(0 if judge(PARTS[sys.argv[1]]) else 1)
