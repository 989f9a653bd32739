"""The budget of the page's own scripts, for the first screen and in all."""

from __future__ import annotations

import build_frontend

from benchmarks.support.page_size import measure_page
from benchmarks.support.report import read_goals


def goal_of(figure: str) -> float:
    """Return the most kB that the table of goals allows."""
    goal = read_goals()[figure]
    assert goal is not None
    return float(goal.removeprefix("<= "))


def test_the_page_keeps_to_its_budget():
    size = measure_page(build_frontend.ROOT / "static" / "app")
    assert 0 < size.first / 1e3 <= goal_of("city_javascript_first")
    assert size.whole / 1e3 <= goal_of("city_javascript")
    assert size.first < size.whole, "some parts load late"
