"""Time from the command to the map of step 0 on the screen, with an empty and a full compilation cache.

The page is opened as soon as the server answers, in a running browser. The figure is the median of `ROUNDS` rounds: the
first time at which the page draws the layout of the first matrix.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from benchmarks.support.report import report
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.web.settings import DEFAULT_HOLD
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.browser.chromium import launch_arguments
from tests.browser.pages import wait_for
from tests.support.application import Application

ROUNDS = 3
_LONG = 90.0
"""Seconds after which a round is given up."""


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with (
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory() as folder,
    ):
        browser = playwright.chromium.launch(**launch_arguments())
        # The browser's caches of files and shaders are warm, as for a returning visitor.
        _measure(browser, Path(folder) / "before")
        cold = [_measure(browser, Path(folder) / f"cold-{n}") for n in range(ROUNDS)]
        warm = [_measure(browser, Path(folder) / "cold-0") for _ in range(ROUNDS)]
        browser.close()
    empty = _report("first_map_cold", cold, "with an empty cache of compiled functions")
    return _report("first_map_warm", warm, "with all compiled") and empty


def _report(name: str, rounds: list[dict[str, float]], how: str) -> bool:
    middle = {part: float(np.median([times[part] for times in rounds])) for part in rounds[0]}
    painted = middle.pop("painted")
    return report(
        name,
        painted,
        f"s from the command to the map of step 0 on the screen, {how}",
        all=[times["painted"] for times in rounds],
        seconds_until=middle,
    )


def _measure(browser: Browser, compiled: Path) -> dict[str, float]:
    """Return the seconds from the command to each mark on the way, the last of which is `painted`.

    Args:
        browser: a running browser.
        compiled: the folder of compiled functions.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {"NUMBA_CACHE_DIR": str(compiled)}
        with Application(Path(folder), hold=DEFAULT_HOLD, environment=environment) as application:
            marks: dict[str, float] = {"answer": time.time()}
            page = browser.new_page(color_scheme="dark", viewport={"width": 1280, "height": 720})
            page.goto(application.launch_url)
            # A frame is drawn after the layout has come into the scene, which `shown` names.
            wait_for(page, "window.__lamplighter?.shown?.method === 'umap'", _LONG, every=0.01)
            step = page.evaluate("__lamplighter.shown.step")
            page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
            painted = time.time()
            page.close()
            run = application.only_run()
            marks |= _marks_in_record(run)
            application.ask(run, "stop")
            application.wait_until_over(run)
    if step != 0:
        raise AssertionError(f"the first map on the screen was of step {step}")
    return {name: at - application.begun for name, at in (marks | {"painted": painted}).items()}


def _marks_in_record(run: RunFolder) -> dict[str, float]:
    """Return the Unix seconds at which the first matrix was recorded and its map was made."""
    with StepsReader(run.steps_path) as steps, LayoutsReader(run.layouts_path) as layouts:
        keyframe = steps.keyframe(0)
        assert keyframe is not None
        first = next(entry for entry in layouts.layout_entries() if entry.method is Method.UMAP)
        drawn = decode_as(layouts.layout_record(first.id), Layout)
        return {"matrix": keyframe.time, "map": drawn.time}
