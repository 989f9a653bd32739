"""The page in a file beside the same page from a server: bytes by part, seconds to the first light, positions of a drag.

Both show one finished run with all answers of the course, in a Chromium that draws in software, at 1280 x 720. A
position of a drag counts as in `city_time`: once the GPU process has finished a frame that showed exactly that step.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from playwright.async_api import Browser, async_playwright

from benchmarks.city_time import Sweep, drag, open_page, wait_for
from benchmarks.examiner import copy_unasked_run
from benchmarks.support.finished import finished_run
from benchmarks.support.report import report
from lamplighter.cli.asking.lessons import prepare_lessons
from lamplighter.exports.export import export_run
from tests.browser.chromium import launch_arguments
from tests.support.application import Application

SWEEP = 4.0
"""Seconds from one end of the timeline to the other."""
TIMES = 7
_PART = re.compile(r'data-part="([^"]+?)(?:-\d+)?">([^<]*)<')


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = copy_unasked_run(finished_run(), Path(folder))
        with contextlib.redirect_stdout(sys.stderr):
            prepare_lessons(run.path.parent, run.id, yes=True)
        tokens = len(run.vocabulary)
        page = export_run(run, "html", out=Path(folder) / "run.html")
        text = page.read_text(encoding="utf-8")
        parts: Counter[str] = Counter()
        for name, data in _PART.findall(text):
            parts[name] += len(data)
        parts["page"] = page.stat().st_size - parts.total()
        met = report("packed_bytes", page.stat().st_size, "bytes", **parts)
        with Application(run.path.parent, "serve", "--no-workers") as application:
            urls = {"file": page.as_uri(), "server": f"{application.url}/?run={run.id}"}
            lights, sweeps = asyncio.run(_measure(urls))
    for where in urls:
        met &= report(
            f"packed_first_light_{where}",
            float(np.median(lights[where])) / 1e3,
            "s from opening to the first light, median",
            each=[round(one / 1e3, 2) for one in lights[where]],
        )
    for where in urls:
        sweep = sweeps[where]
        positions = len({shown["step"] for shown in sweep.shown})
        met &= report(
            f"packed_scrubbing_{where}",
            positions / sweep.seconds,
            "positions a second",
            tokens=tokens,
            page_cpu_ms=1e3 * sweep.spent["renderer"] / max(1, positions),
            drawing_cpu_ms=1e3 * sweep.spent["GPU"] / max(1, positions),
        )
    return met


async def _measure(urls: dict[str, str]) -> tuple[dict[str, list[float]], dict[str, Sweep]]:
    """Return the milliseconds to the first light, and a drag, by the source of the page, measured in turn."""
    lights: dict[str, list[float]] = {where: [] for where in urls}
    sweeps: dict[str, Sweep] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_arguments())  # pyright: ignore[reportArgumentType]
        for url in urls.values():
            # The first page of a browser compiles shaders.
            await _first_light(browser, url)
            await _drag(browser, url)
        for _ in range(TIMES):
            for where, url in urls.items():
                lights[where].append(await _first_light(browser, url))
        for where, url in urls.items():
            sweeps[where] = await _drag(browser, url)
        await browser.close()
    return lights, sweeps


async def _first_light(browser: Browser, url: str) -> float:
    async with open_page(browser, url) as page:
        await wait_for(page, "window.watch?.city && window.watch.beat")
        watch = await page.evaluate("window.watch")
    return watch["beat"] - watch["begun"]


async def _drag(browser: Browser, url: str) -> Sweep:
    async with open_page(browser, url) as page:
        await wait_for(page, "window.watch?.beat")
        await page.wait_for_timeout(2_000)
        return await drag(page, 0.02, 0.98, SWEEP)
