"""The first screen of a new visitor: the time to the first sentence and to the first light, and the number of controls.

A Lamptown run is in training. The browser's caches are warm, but it has never shown the introduction. The times are
medians of `ROUNDS` visits, in milliseconds from the navigation.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import BrowserContext, Locator, Page, sync_playwright

from benchmarks.support.report import report
from lamplighter.runfolder.reading.run_status import read_status
from tests.browser.chromium import launch_arguments
from tests.browser.first_visit import PREFERENCES
from tests.browser.pages import wait_for
from tests.support.application import Application
from tests.support.waiting import wait_until

ROUNDS = 5
PACE = 15
"""Steps a second of the run, so that the browser has a core to itself."""
_LATER = 20.0
"""Seconds after which a visit is given up."""
_WATCH = """(() => {
    const found = (window.firstVisit = {});
    const note = (name) => { found[name] ??= performance.now() };
    (function look() {
        const said = [...document.querySelectorAll("[role=status], [role=status] *")];
        if (said.some((one) => /^Every light is a word/.test(one.textContent.trim()))) note("sentence");
        const page = window.__lamplighter;
        if (page?.shown) note("light");
        if (page?.beat?.paintedAt) note("step");
        requestAnimationFrame(look);
    })();
})()"""
"""A script that records when the sentence appears, when lamps are drawn, and when those of a step are lit."""
_CONTROLS = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((one) => one.tabIndex >= 0 && !one.disabled && one.getAttribute("aria-disabled") !== "true")
    .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !one.closest("[inert]"))
    .filter((one) => {
        const { width, height, left, right, top, bottom } = one.getBoundingClientRect();
        return width > 1 && height > 1 && right > 0 && left < innerWidth && bottom > 0 && top < innerHeight;
    })
    .map((one) => (one.getAttribute("aria-label") ?? one.textContent ?? "").trim().slice(0, 40) || one.outerHTML)"""
"""The controls that are visible, usable and reachable by keyboard."""


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(**launch_arguments())
        with Application(Path(folder)) as application:
            run = application.only_run()
            application.ask(run, "pace", steps_per_second=PACE)
            wait_until(lambda: read_status(run).step > 0, "the run to begin", timeout=90)
            context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 720})
            # A presenter sees the most controls.
            page = context.new_page()
            page.goto(application.launch_url)
            page.wait_for_url(lambda url: "/launch" not in url)
            wait_for(page, "window.__lamplighter?.shown", _LATER)
            page.close()
            rounds = [_visit(context, application.url) for _ in range(ROUNDS)]
            controls, missing = _controls(context, application.url)
        browser.close()
    times = {name: [one[name] for one in rounds] for name in ("sentence", "light", "step")}
    met = [
        report(
            f"first_visit_{name}",
            float(np.median(taken)),
            f"ms from the navigation until {until}, caches warm",
            all=taken,
        )
        for (name, taken), until in zip(
            times.items(),
            ("a sentence says what a light is", "the lamps are drawn", "those of a step are lit"),
            strict=True,
        )
    ]
    met.append(
        report(
            "first_visit_controls",
            float(len(controls)),
            "controls that can be used on the first screen of a presenter",
            controls=controls,
        )
    )
    met.append(
        report(
            "first_visit_missing",
            float(len(missing)),
            "of play, time, find a word and the levels are not among them",
            missing=missing,
        )
    )
    return all(met)


def _open(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.add_init_script(f"localStorage.removeItem({json.dumps(PREFERENCES)})")
    page.add_init_script(_WATCH)
    page.goto(url, wait_until="commit")
    return page


def _visit(context: BrowserContext, url: str) -> dict[str, float]:
    """Return the milliseconds from the navigation to the sentence, to the lamps, and to the light of a step."""
    page = _open(context, url)
    wait_for(page, "window.firstVisit && Object.keys(firstVisit).length === 3", _LATER)
    found: dict[str, float] = page.evaluate("firstVisit")
    page.close()
    return found


def _controls(context: BrowserContext, url: str) -> tuple[list[str], list[str]]:
    """Return the names of the controls of the first screen, and which of the four that it must have are missing."""
    page = _open(context, url)
    wait_for(page, "window.__lamplighter?.beat?.paintedAt", _LATER)
    # The introduction temporarily adds buttons.
    page.get_by_test_id("skip-introduction").click()
    wait_for(page, "!document.querySelector('[data-testid=introduction]')", _LATER)
    controls: list[str] = page.evaluate(_CONTROLS)
    wanted: dict[str, Locator] = {
        "play": page.get_by_test_id("pause-picture").or_(page.get_by_test_id("resume-replay")),
        "time": page.get_by_role("slider"),
        "find a word": page.get_by_role("combobox", name="Find a word"),
        "levels": page.get_by_role("radio", name="Explore").or_(page.get_by_role("button", name="Explore")),
    }
    missing = [name for name, one in wanted.items() if not _is_usable(one)]
    page.close()
    return controls, missing


def _is_usable(control: Locator) -> Any:
    return control.count() > 0 and control.first.is_visible() and control.first.is_enabled()
