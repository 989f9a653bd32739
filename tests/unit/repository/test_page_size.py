"""The budget of the page's own scripts, for the first screen and in all."""

from __future__ import annotations

from pathlib import Path

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


def test_the_first_screen_is_the_entry_with_what_it_cannot_start_without(tmp_path: Path):
    scripts = {
        "index-a1.js": 'import{a}from"./shared-b2.js";import("./late-c3.js");new Worker("/app/assets/w.worker-d4.js")',
        "shared-b2.js": 'import "./deeper-e5.js";export const a = 1',
        "deeper-e5.js": "export const deeper = 1",
        "late-c3.js": 'import{a}from"./shared-b2.js";import"./also-late-f6.js"',
        "also-late-f6.js": "export const late = 1",
        "w.worker-d4.js": "onmessage = () => {}",
    }
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<script type="module" src="/app/assets/index-a1.js"></script>')
    for name, text in scripts.items():
        (tmp_path / "assets" / name).write_text(text)
    build_frontend.compress(tmp_path)
    zipped = {name: (tmp_path / "assets" / f"{name}.gz").stat().st_size for name in scripts}
    size = measure_page(tmp_path)
    assert size.whole == sum(zipped.values())
    assert size.first == sum(length for name, length in zipped.items() if "late" not in name)
