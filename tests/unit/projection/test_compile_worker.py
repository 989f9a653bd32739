"""Compilation of the map's code during installation: visible, once, and never failing the installation."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lamplighter.projection import compile_worker, warm_up


def test_does_not_compile_twice() -> None:
    # The cache of the tests, which their start or this test fills.
    command = [sys.executable, "-m", "lamplighter.projection.compile_worker"]
    said = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert "once on this machine" in said[1]
    assert "everything was compiled before" in said[1]
    assert os.environ["NUMBA_CACHE_DIR"] in said[1]


def test_reports_a_failure_without_failing_the_installation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no compiler here")

    monkeypatch.setattr(warm_up, "make_map", fail)
    assert compile_worker.main() == 1
    assert "could not be compiled (no compiler here); the first run tries again" in capsys.readouterr().out
    makefile = Path(__file__).parents[3] / "Makefile"
    assert "lamplighter project --compile || true\n" in makefile.read_text(encoding="utf-8")


def test_compiles_everything_that_the_map_needs() -> None:
    ready = warm_up.WarmUp(warm_up.MapRecipe(), 60)
    assert ready.share < 1
    while not ready.done:
        time.sleep(0.01)
    assert ready.error is None
    names = {function.__name__ for function in warm_up.compiled_functions()}
    assert {"run_epoch", "membership_strengths", "carry_counters"} <= names
    assert all(function.overloads for function in warm_up.compiled_functions())
    # The last part is the first layout itself.
    parts = 2 + len(names)
    assert ready.share == (parts - 1) / parts
