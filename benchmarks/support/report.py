"""One line per figure, with the measurements of both sides, and whether it meets its goal.

The goals are in the table of `docs/benchmarks.md`, with the day on which each was set. A quiet machine cannot be told by its load
average alone: it says nothing of a processor that is shared with other machines, or throttled. So a fixed loop is timed before
and after a measurement; if both took as long, the machine was equally fast for all of it.
"""

from __future__ import annotations

import functools
import json
import operator
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np

TABLE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MAX_LOAD = 1.0
MAX_CHANGE = 0.1
"""The share by which the fixed loop may differ."""
_ROW = re.compile(r"^\| `(\w+)` \| (none|(?:>=|<=) [\d.]+) \|", re.MULTILINE)
_COMPARE: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}
_TURNS = 5

Line = dict[str, Any]
Measure = Callable[[], bool | None]
"""A benchmark. It returns False for a failure that none of its figures tells."""

_reported: list[Line] = []
"""The lines of the benchmark that runs."""
_held = False
"""Whether they are held back until it is known whether they can be judged."""


@functools.cache
def read_goals() -> Mapping[str, str | None]:
    """Return the goal of each figure, such as ">= 0.95"; None if the figure is only informative."""
    rows = _ROW.findall(TABLE.read_text(encoding="utf-8"))
    return {name: None if goal == "none" else goal for name, goal in rows}


def report(bench: str, value: SupportsFloat, unit: str, **sides: Any) -> bool:
    """Print a figure as one JSON line.

    Args:
        bench: its name, as in the table of goals.
        value: the measured value.
        unit: the unit of `value`.
        sides: the measurements of both sides, and the conditions.

    Returns:
        Whether the goal, if there is one, is met.

    Raises:
        KeyError: the table has no such figure.
    """
    goal = read_goals()[bench]
    met = None
    if goal is not None:
        sign, limit = goal.split()
        met = _COMPARE[sign](float(value), float(limit))
    line: Line = {"bench": bench, "value": _short(value), "unit": unit, "goal": goal, "met": met}
    take(line | {name: _short(side) for name, side in sides.items()})
    return met is not False


def take(line: Line) -> None:
    """Print a line, or hold it back; also one that a process of this benchmark has reported."""
    _reported.append(line)
    if not _held:
        print(json.dumps(line), flush=True)


def judge(measure: Measure) -> bool:
    """Run a benchmark. Returns whether its goals are met."""
    _reported.clear()
    # It runs in any case, whatever has been missed before.
    succeeded = measure() is not False
    return succeeded and all(line["met"] is not False for line in _reported)


def judge_in_quiet(measure: Measure) -> bool | None:
    """Run a benchmark on a quiet machine, and print the lines afterwards.

    Returns:
        Whether its goals are met; None if the machine did not stay as fast as it was: then no line says whether a goal is met.
    """
    global _held
    wait_for_quiet()
    before = time_reference()
    _held = True
    try:
        met = judge(measure)
    finally:
        _held = False
    after = time_reference()
    disturbed = max(before, after) > (1 + MAX_CHANGE) * min(before, after)
    for line in _reported:
        told = {"met": None, "disturbed": True} if disturbed else {}
        times = {"reference_ms": [_short(1e3 * before), _short(1e3 * after)]}
        print(json.dumps(line | told | times), flush=True)
    return None if disturbed else met


def wait_for_quiet(
    read_load: Callable[[], float] = lambda: os.getloadavg()[0], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until fewer than `MAX_LOAD` processes have been ready to run, in the mean of the last minute."""
    said = False
    while (load := read_load()) >= MAX_LOAD:
        if not said:
            print(f"waiting for a load below {MAX_LOAD:g}, now {load:.1f}", file=sys.stderr)
            said = True
        sleep(5)


def time_reference() -> float:
    """Return the seconds that a fixed loop takes by the clock, the median of five: Python, products and memory."""
    random = np.random.default_rng(0)
    square, long = random.normal(size=(400, 400)), random.normal(size=4_000_000)
    took: list[float] = []
    for _ in range(_TURNS):
        begun = time.perf_counter()
        total = 0
        for number in range(1_000_000):
            total += number & 7
        for _ in range(20):
            _ = square @ square
            long.sum()
        took.append(time.perf_counter() - begun)
    return float(np.median(took))


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(side) for name, side in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return float(f"{value:.4g}") if isinstance(value, (float, np.floating)) else value
