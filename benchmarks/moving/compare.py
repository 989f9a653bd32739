"""Draws a history with each method in a process of its own, and measures the maps."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.moving.histories import MovingHistory, make_up, read_history
from benchmarks.moving.methods import METHODS, Places
from benchmarks.support.map_quality import correlate_ways, displacement
from living_map.trust import TrustProbe

ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "NUMBA", "TF_INTRAOP", "TF_INTEROP")
}
COLUMNS = {
    "rest": "rows at rest",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "kept": "neighbours kept",
    "trust": "trust",
    "first_ms": "first frame, ms",
    "frame_ms": "a frame, ms",
    "memory_mb": "memory, MB",
}


class MapScores:
    """Scores of the maps of a history, taken frame by frame."""

    def __init__(self, history: MovingHistory) -> None:
        self._history = history
        self._probe = TrustProbe(history.vectors.shape[1])
        self._last: tuple[Places, Places] | None = None
        self._there: list[NDArray[np.floating]] = []
        self._here: list[NDArray[np.floating]] = []
        self._rest: list[float] = []
        self._kept: list[float] = []
        self._trust: list[float] = []

    def add(self, frame: int, units: Places, places: Places) -> None:
        """Score a frame, rows (V, D) of length one and places (V, 2)."""
        places = np.asarray(places, dtype=np.float32)
        self._probe.set_space(units)
        found = self._probe.estimate(places)
        self._kept.append(found.recall)
        self._trust.append(found.trust)
        if self._last is not None:
            self._there.append(np.linalg.norm(units - self._last[0], axis=1))
            self._here.append(np.linalg.norm(places - self._last[1], axis=1))
            resting = np.flatnonzero(~self._history.moved[frame])
            if len(resting):
                self._rest.append(displacement(self._last[1], places, resting))
        self._last = units, places

    def summary(self) -> dict[str, float]:
        """Return the scores.

        `rest`: how far a row that did not move in the space moves on the map, as a share of the map's diagonal; median over the
        rows, and over the frames. `pearson` and `spearman`: correlation of how far a row moves in the space and on the map, over
        all rows and frames (Vernier et al. 2020). `kept`: share of a row's ten nearest in the space that are among its ten
        nearest on the map, and `trust`: trustworthiness (Venna and Kaski 2001), of 500 rows against all, mean over the frames.
        """
        spearman, pearson = correlate_ways(np.concatenate(self._there), np.concatenate(self._here))
        return {
            "rest": float(np.median(self._rest)) if self._rest else float("nan"),
            "pearson": pearson,
            "spearman": spearman,
            "kept": float(np.mean(self._kept)),
            "trust": float(np.mean(self._trust)),
        }


def measure(history: MovingHistory, name: str) -> dict[str, float]:
    """Draw a history with a method, and return its scores, its milliseconds (processor time) and its megabytes.

    A frame's time is the median over all but the first; of a method that sees all frames at once, its share of the whole.
    Memory is how far the process's peak rises until the first frame is drawn, or all frames that are seen at once; the history,
    the method's modules and what a tiny history takes are there before.
    """
    method = METHODS[name]
    _draw_all(make_up(300, history.vectors.shape[2], 10, 3), name, lambda frame, units, places: None)
    scores, peak = MapScores(history), 0
    before = _peak()

    def add(frame: int, units: Places, places: Places) -> None:
        nonlocal peak
        if not frame:
            peak = _peak()
        scores.add(frame, units, places)

    seconds = _draw_all(history, name, add)
    first = seconds[0]
    later = first if method.draw_all else float(np.median(seconds[1:]))
    return scores.summary() | {
        "first_ms": 1000 * first,
        "frame_ms": 1000 * later,
        "memory_mb": (peak - before) / 1024,
    }


def _draw_all(history: MovingHistory, name: str, add: Callable[[int, Places, Places], None]) -> list[float]:
    """Draw all frames and pass each on. Returns the seconds of each."""
    frames, method = len(history.vectors), METHODS[name]
    seconds: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method.draw_all is not None:
            every = [history.units(frame) for frame in range(frames)]
            began = time.process_time()
            drawn = method.draw_all(every)
            seconds = [(time.process_time() - began) / frames] * frames
            for frame in range(frames):
                add(frame, every[frame], drawn[frame])
            return seconds
        assert method.begin is not None
        draw = method.begin()
        for frame in range(frames):
            units = history.units(frame)
            began = time.process_time()
            places = draw(units)
            seconds.append(time.process_time() - began)
            add(frame, units, places)
    return seconds


def _peak() -> int:
    """Return the peak memory of this process so far, kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def compare(path: Path, names: Sequence[str], frames: int | None, minutes: int) -> int:
    """Draw a history with some methods, and print a JSON line for each, then a table.

    A method is stopped when it has taken `minutes` of processor time, and says so. Returns the exit status.
    """
    history = read_history(path)
    rows: list[dict[str, Any]] = []
    for name in names:
        if missing := METHODS[name].missing:
            print(
                f"skipped {name}: {missing[0]} is not installed (pip install {METHODS[name].install})",
                flush=True,
            )
            continue
        words = ["one", str(path), name, "--minutes", str(minutes)]
        words += [] if frames is None else ["--frames", str(frames)]
        ended = subprocess.run(
            [sys.executable, "-m", "benchmarks.moving", *words],
            env=os.environ | ONE_THREAD,
            stdout=subprocess.PIPE,
            text=True,
        )
        if ended.returncode == -signal.SIGXCPU:
            print(f"stopped {name}: not done after {minutes} minutes of processor time", flush=True)
            continue
        if ended.returncode:
            print(f"failed {name}: exit status {ended.returncode}, its last words are above", flush=True)
            continue
        line = ended.stdout.splitlines()[-1]
        print(line, flush=True)
        rows.append(json.loads(line))
    drawn = len(history.vectors) if frames is None else min(frames, len(history.vectors))
    print(f"\n{history.about}: {drawn} frames\n")
    print(f"| method | {' | '.join(COLUMNS.values())} |\n|{'---|' * (len(COLUMNS) + 1)}")
    for row in rows:
        print(f"| {row['method']} | {' | '.join(_shown(column, row[column]) for column in COLUMNS)} |")
    return 0 if rows else 1


def print_one(path: Path, name: str, frames: int | None, minutes: int) -> int:
    """Draw a history with one method in this process, and print its line. Returns the exit status.

    The process ends by a signal when it has taken `minutes` of processor time.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (60 * minutes, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    history = read_history(path)
    if frames is not None:
        history = MovingHistory(
            history.vectors[:frames], history.moved[:frames], history.steps[:frames], history.about
        )
    print(json.dumps({"method": name} | measure(history, name)))
    return 0


def _shown(column: str, value: float) -> str:
    if column.endswith(("_ms", "_mb")):
        return f"{value:,.0f}"
    return f"{value:.4f}" if column == "rest" else f"{value:.3f}"
