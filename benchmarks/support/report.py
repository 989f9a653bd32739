"""One line per figure, with the measurements of both sides, and whether it meets its goal.

The goals are in the table of `docs/benchmarks.md`, with the day on which each was set.
"""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.support.quiet import is_disturbed, time_reference, wait_for_quiet

TABLE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_ROW = re.compile(r"^\| `(\w+)` \| (none|(?:>=|<=) [\d.]+) \|", re.MULTILINE)
_COMPARE: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


_held: list[dict[str, Any]] | None = None
"""The lines that are held back until it is known whether they can be judged; None: each is printed at once."""


@functools.cache
def read_goals() -> Mapping[str, str | None]:
    """Return the goal of each figure, such as ">= 0.95"; None if the figure is only informative."""
    rows = _ROW.findall(TABLE.read_text(encoding="utf-8"))
    return {name: None if goal == "none" else goal for name, goal in rows}


def report(bench: str, value: float, unit: str, **sides: Any) -> bool:
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
        met = _COMPARE[sign](value, float(limit))
    line: dict[str, Any] = {"bench": bench, "value": _short(value), "unit": unit, "goal": goal, "met": met}
    line |= {name: _short(side) for name, side in sides.items()}
    if _held is None:
        print(json.dumps(line), flush=True)
    else:
        _held.append(line)
    return met is not False


def measure_in_quiet(measure: Callable[[], bool]) -> bool | None:
    """Measure on a quiet machine, and print the lines afterwards.

    Args:
        measure: a benchmark, which returns whether its goals are met.

    Returns:
        Its result; None if the machine did not stay as fast as it was: then no line says whether a goal is met.
    """
    global _held
    wait_for_quiet()
    before = time_reference()
    lines = _held = []
    try:
        met = measure()
    finally:
        _held = None
    after = time_reference()
    disturbed = is_disturbed(before, after)
    for line in lines:
        told = {"met": None, "disturbed": True} if disturbed else {}
        times = {"reference_ms": [_short(1e3 * before), _short(1e3 * after)]}
        print(json.dumps(line | told | times), flush=True)
    return None if disturbed else met


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(side) for name, side in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return float(f"{value:.4g}") if isinstance(value, float) else value
