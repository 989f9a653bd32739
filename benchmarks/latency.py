"""Latency of a step: until a local websocket client has decoded it, and until a browser has painted it.

The clock starts when the step's training ends, so observing, recording and sending are included. The browser
is a real Chromium that draws in software, as in the tests. Painting is measured at a light training pace, so
that the browser has its cores to itself, and beside training at full speed.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.support.report import report
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from tests.browser.chromium import launch_arguments
from tests.browser.pages import wait_for
from tests.support.application import Application, Viewer
from tests.support.runs import wait_for_step

CLIENT_SECONDS, BROWSER_SECONDS, CALM = 15, 20, 5


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory() as folder, Application(Path(folder)) as application:
        run = application.only_run()
        wait_for_step(run, 50)
        with Viewer(application, run.id) as viewer:
            time.sleep(CLIENT_SECONDS)
        since = time.time() - CLIENT_SECONDS + 1
        pulses = [(at, f) for at, f in viewer.frames if isinstance(f, Pulse) and at > since]
        ages = [1e3 * (at - pulse.time) for at, pulse in pulses]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_arguments())
            page = browser.new_page(color_scheme="dark", viewport={"width": 1280, "height": 720})
            page.goto(application.launch_url)
            wait_for(page, "window.__lamplighter?.litPixels?.() > 0", 60)
            page.wait_for_timeout(3_000)
            loaded = _painted(page)
            # A steady, light pace leaves the browser's cores free.
            application.ask(run, "pace", steps_per_second=CALM)
            page.wait_for_timeout(2_000)
            calm = _painted(page)
            browser.close()
        application.ask(run, "stop")
        application.wait_until_over(run)
        with StepsReader(run.steps_path) as reader:
            ended = {step: decode(record).time for step, record in reader.pulses_at([*loaded, *calm])}
    decoded = np.array(ages)
    shown = np.array([1e3 * (at - ended[step]) for step, at in calm.items()])
    busy = np.array([1e3 * (at - ended[step]) for step, at in loaded.items()])
    met = report(
        "latency_decoded",
        float(np.percentile(decoded, 95)),
        "ms after the step ended, p95",
        median=float(np.median(decoded)),
        p99=float(np.percentile(decoded, 99)),
        frames=len(pulses),
        merged=sum(pulse.merged for _, pulse in pulses),
    )
    for name, painted, pace in (
        ("latency_painted", shown, str(CALM)),
        ("latency_painted_at_full_speed", busy, "full"),
    ):
        met &= report(
            name,
            float(np.percentile(painted, 95)),
            "ms after the step ended, p95",
            median=float(np.median(painted)),
            beats=len(painted),
            pace=pace,
        )
    return met


def _painted(page: Page) -> dict[int, float]:
    """Watch the page for some seconds. Returns when each beat was painted, Unix seconds by step."""
    painted: dict[int, float] = {}
    deadline = time.monotonic() + BROWSER_SECONDS
    while time.monotonic() < deadline:
        beat = page.evaluate("__lamplighter.beat")
        # Skip beats read from the record, whose steps ended long before they were requested.
        if beat and beat["paintedAt"] and beat["decodedAt"]:
            painted.setdefault(beat["step"], beat["paintedAt"] / 1e3)
        page.wait_for_timeout(50)
    return painted
