"""The city in a browser that draws in software: the lamps beside Plotly's scattergl, and what the page costs.

Both sides are given the same 20,000 places in one page; the real scene runs, with land, districts and names. Not
covered yet: scrubbing, and the first city on screen.
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

import build_frontend
import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.city_page import build_page, served, write_frames
from benchmarks.report import report
from tests.browser.chromium import launch_arguments

TOKENS, FRAMES = 20_000, 8


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        build_page(folder)
        write_frames(folder / "frames", TOKENS, FRAMES)
        ours, theirs, glide = _measured(folder)
    sides = {"tokens": TOKENS, "frames": FRAMES - 1}
    mine, other = _median(ours, "main"), _median(theirs, "main")
    met = report(
        "city_main_thread", other / mine, "times less", ">= 100", ours_ms=mine, scattergl_ms=other, **sides
    )
    mine, other = _median(ours, "pixels"), _median(theirs, "pixels")
    met &= report(
        "city_pixels", other / mine, "times sooner", ">= 3", ours_ms=mine, scattergl_ms=other, **sides
    )
    moving = np.array(glide["frames"])
    met &= report(
        "city_moving_frame",
        float(glide["uploaded"]),
        "bytes uploaded",
        "<= 0",
        frames=len(moving),
        main_thread_ms=float(np.median(moving)),
    )
    return report("city_javascript", _javascript() / 1e3, "kB gzipped", "<= 150") and met


def _measured(folder: Path) -> tuple[list[dict[str, float]], list[dict[str, float]], dict[str, Any]]:
    with served(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments())
        page = browser.new_page(viewport={"width": 1280, "height": 1440})
        page.goto(url)
        page.evaluate("([folder, count]) => sides.begin(folder, count)", ["frames", FRAMES])
        # The first frame of each side warms up what is compiled and allocated once.
        ours, theirs = page.evaluate("sides.ours()")[1:], page.evaluate("sides.theirs()")[1:]
        glide = page.evaluate("sides.gliding()")
        browser.close()
    return ours, theirs, glide


def _median(costs: list[dict[str, float]], name: str) -> float:
    return float(np.median([cost[name] for cost in costs]))


def _javascript() -> int:
    """Bytes of the page's own scripts, each compressed as a server would."""
    build_frontend.build()
    scripts = (build_frontend.ROOT / "static" / "app" / "assets").glob("*.js")
    return sum(len(gzip.compress(script.read_bytes(), 6)) for script in scripts)
