"""Output of the benchmarks: one JSON line per figure, with both sides and whether the goal is met."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from typing import Any

_COMPARE: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


def report(bench: str, value: float, unit: str, goal: str, **sides: Any) -> bool:
    """Print a figure as one JSON line.

    Args:
        bench: name of the figure.
        value: the measured value.
        unit: unit of `value`.
        goal: a comparison such as ">= 0.95".
        sides: the measurements of both sides, and the conditions.

    Returns:
        Whether the goal is met.
    """
    sign, limit = goal.split()
    met = _COMPARE[sign](value, float(limit))
    line = {"bench": bench, "value": _short(value), "unit": unit, "goal": goal, "met": met}
    print(json.dumps(line | {name: _short(side) for name, side in sides.items()}), flush=True)
    return met


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(side) for name, side in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return float(f"{value:.4g}") if isinstance(value, float) else value
