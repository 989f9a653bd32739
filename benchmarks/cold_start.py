"""Time from the command to the first lit lamp in the browser, with everything installed and warm.

The first lamp is lit by the first step, and that waits for the map of step 0, as it does for a person.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.report import report
from lamplighter.serving.settings import DEFAULT_HOLD
from tests.application import Application
from tests.browser.chromium import launch_arguments
from tests.browser.pages import wait_for

ROUNDS = 3


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    answers: list[float] = []
    lamps: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments())
        # The first round warms the file and shader caches.
        for round_number in range(ROUNDS + 1):
            with (
                tempfile.TemporaryDirectory() as folder,
                Application(Path(folder), hold=DEFAULT_HOLD) as application,
            ):
                answered = time.time() - application.begun
                context = browser.new_context(viewport={"width": 1280, "height": 720})
                page = context.new_page()
                page.goto(application.launch_url)
                wait_for(page, "window.__lamplighter?.litPixels?.() > 0", 60)
                lit = time.time() - application.begun
                context.close()
                run = application.only_run()
                application.ask(run, "stop")
                application.wait_until_over(run)
            if round_number:
                answers.append(answered)
                lamps.append(lit)
        browser.close()
    met = report(
        "cold_start_server",
        float(np.median(answers)),
        "s from the command to an answer",
        "<= 1.5",
        all=answers,
    )
    return (
        report(
            "cold_start",
            float(np.median(lamps)),
            "s from the command to the first lit lamp",
            "<= 8",
            all=lamps,
        )
        and met
    )
