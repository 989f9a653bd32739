"""The table of goals in docs/benchmarks.md, and the figures that the benchmarks print.

`make gpu` where there is no card, and the recipes it would run where there is one.
"""

from __future__ import annotations

import ast
import json
import re
from datetime import date

import pytest
import torch

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import checks
from benchmarks.support import report as reports
from benchmarks.support.report import TABLE, read_goals, report, wait_for_quiet
from lamplighter.model.learner import build_learner

ROWS = [
    line.split(" | ") for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
]
MODULES = [
    ast.parse(path.read_text(encoding="utf-8")) for path in (TABLE.parents[1] / "benchmarks").rglob("*.py")
]


def as_pattern(node: ast.AST) -> str | None:
    """Return the regular expression of the names that a string literal stands for; None for other expressions."""
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.JoinedStr(values=parts):
            return "".join(as_pattern(part) or r"\w+" for part in parts)
        case _:
            return None


def reported_names(module: ast.Module) -> list[str]:
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call))
    return [
        pattern
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id == "report"
        and (pattern := as_pattern(call.args[0]))
    ]


def test_every_row_of_the_table_has_a_goal_that_the_benchmarks_read():
    assert [row[0].strip("|` ") for row in ROWS] == list(read_goals())


def test_every_goal_has_its_day_and_a_figure_without_one_its_reason():
    for name, goal, day, reason in ROWS:
        assert date(2026, 11, 24) <= date.fromisoformat(day), name
        assert goal != "none" or reason.strip(" |"), f"{name}: why has it no goal?"


def test_every_reported_figure_stands_in_the_table():
    patterns = [pattern for module in MODULES for pattern in reported_names(module)]
    assert len(patterns) > 50
    unknown = [one for one in patterns if not any(re.fullmatch(one, name) for name in read_goals())]
    assert unknown == []


def test_every_figure_of_the_table_is_reported():
    literals = {pattern for module in MODULES for node in ast.walk(module) if (pattern := as_pattern(node))}
    # A literal of placeholders alone would match any name.
    said = {pattern for pattern in literals if re.search(r"[a-z]{3}", pattern.replace(r"\w+", ""))}
    # `re` forgets patterns after some hundred, so thousands of them would be compiled for each name.
    composed = [re.compile(pattern) for pattern in said if r"\w+" in pattern]
    silent = [name for name in read_goals() if re.escape(name) not in said]
    assert [name for name in silent if not any(one.fullmatch(name) for one in composed)] == []


def test_a_figure_is_judged_by_the_goal_of_the_table(capsys: pytest.CaptureFixture[str]):
    assert report("observation", 0.95, "of it")
    assert not report("observation", 0.949, "of it")
    assert report("storage_without_waypoints", 0, "times")
    assert '"goal": null, "met": null' in capsys.readouterr().out
    with pytest.raises(KeyError):
        report("a figure that no row has", 1, "times")


def test_a_check_that_breaks_stops_no_other_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def breaks(device: torch.device) -> bool:
        raise RuntimeError(f"{device} is out of memory")

    ran: list[str] = []
    monkeypatch.setattr(gpu, "CHECKS", {"one": breaks, "two": lambda device: not ran.append(device.type)})
    assert gpu.main(["--device", "cpu"]) == 1
    assert ran == ["cpu"]
    assert json.loads(capsys.readouterr().out) == {"bench": "gpu_one", "error": "cpu is out of memory"}


@pytest.mark.parametrize("kind", ["cuda", "mps", "cpu"])
def test_every_device_has_recipes_that_it_can_run(kind: str):
    for recipe in checks.recipes(torch.device(kind)).values():
        assert recipe.device == kind
        assert kind != "mps" or recipe.optimiser.kind == "adam"
        build_learner(recipe, 50, torch.device("meta"))


def test_in_quiet_a_figure_is_judged_only_if_the_machine_stayed_as_fast(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    loads, times, slept = iter(list[float]()), iter(list[float]()), list[float]()
    monkeypatch.setattr(reports, "wait_for_quiet", lambda: wait_for_quiet(lambda: next(loads), slept.append))
    monkeypatch.setattr(reports, "time_reference", lambda: next(times))
    for after, judged in ((1.09, True), (1.11, False), (0.92, True), (0.9, False)):
        for value, met in ((0.95, True), (0.949, False)):
            loads, times, slept = iter([3.0, 1.0, 0.9]), iter([1.0, after]), []
            found = reports.judge_in_quiet(lambda value=value: report("observation", value, "of it"))
            line = json.loads(capsys.readouterr().out)
            assert len(slept) == 2
            assert line["met"] == found == (met if judged else None)
            assert ("disturbed" in line) == (not judged)
            assert line["reference_ms"] == [1_000, 1_000 * after]
