"""One line a figure: what was measured, on both sides, and whether it meets its goal."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from typing import Any

_COMPARE: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


def report(bench: str, value: float, unit: str, goal: str | None, **sides: Any) -> bool:
    """Print a figure as one JSON line.

    Args:
        bench: its name.
        value: what was measured.
        unit: of `value`.
        goal: such as ">= 0.95"; None where the figure is only to be known.
        sides: what was measured on both sides, and under which conditions.

    Returns:
        Whether the goal, if there is one, is met.
    """
    met = None
    if goal is not None:
        sign, limit = goal.split()
        met = _COMPARE[sign](value, float(limit))
    line = {"bench": bench, "value": _short(value), "unit": unit, "goal": goal, "met": met}
    print(json.dumps(line | {name: _short(side) for name, side in sides.items()}), flush=True)
    return met is not False


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(side) for name, side in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return float(f"{value:.4g}") if isinstance(value, float) else value
