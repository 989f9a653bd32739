"""Drawing cost of the map beside Plotly's, in a browser that draws in software; and the size of the scripts.

Both sides draw the same 20,000 positions, tints and lit batches in one page, frame by frame. The goals
compare the lamps with scattergl, which draws points alone; the whole map, with land and names on both sides,
is reported beside them. `benchmarks.city_time` measures scrubbing and the time to the first map.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import build_frontend
import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.city_page import build_page, serve_folder, write_frames
from benchmarks.page_size import measure_page
from benchmarks.report import report
from tests.browser.chromium import launch_arguments

TOKENS, LARGE = 20_000, 50_000
FRAMES, WARM_UP = 15, 3
"""Number of frames; the first few are not counted: they compile code and allocate buffers."""
Costs = dict[str, list[dict[str, float]]]


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        build_page(folder)
        write_frames(folder / "frames", TOKENS, FRAMES)
        write_frames(folder / "large", LARGE, FRAMES)
        costs, glide = _measured(folder, "frames", "compared")
        large, large_glide = _measured(folder, "large", "alone")
    met = _compared(costs, "main", "city_main_thread", "times less than Plotly's react")
    met &= _compared(costs, "pixels", "city_pixels", "times sooner than Plotly's")
    met &= report(
        "city_moving_frame",
        float(glide["uploaded"]),
        "bytes uploaded",
        frames=len(glide["frames"]),
        main_thread_ms=float(np.median(glide["frames"])),
    )
    # The time on a graphics card cannot be measured here.
    met &= report(
        "city_large",
        _median(large, "main"),
        "ms of the main thread, land and names included, for a data frame: half of a sixtieth of a second",
        tokens=LARGE,
        moving_frame_ms=float(np.median(large_glide["frames"])),
        uploaded_moving=large_glide["uploaded"],
    )
    build_frontend.build()
    size = measure_page(build_frontend.ROOT / "static" / "app")
    first, whole = size.first / 1e3, size.whole / 1e3
    met &= report("city_javascript_first", first, "kB gzipped")
    return report("city_javascript", whole, "kB gzipped", first=first) and met


def _measured(folder: Path, frames: str, what: str) -> tuple[Any, dict[str, Any]]:
    """Run the page's function `what` on these frames, then a glide. Returns both results."""
    with serve_folder(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments())
        page = browser.new_page(viewport={"width": 1280, "height": 1440})
        page.goto(url)
        page.evaluate("([folder, count]) => sides.begin(folder, count)", [frames, FRAMES])
        costs, glide = page.evaluate(f"sides.{what}()"), page.evaluate("sides.gliding()")
        browser.close()
    return costs, glide


def _median(costs: list[dict[str, float]], what: str) -> float:
    """Return the median of one cost over the frames after warm-up, ms."""
    return float(np.median([cost[what] for cost in costs[WARM_UP:]]))


def _compared(costs: Costs, what: str, name: str, unit: str) -> bool:
    """Report the lamps against scattergl, and the whole map against Plotly: medians over the frames, ms."""
    ms = {side: _median(each, what) for side, each in costs.items()}
    return report(
        name,
        ms["scattergl"] / ms["lamps"],
        unit,
        lamps_ms=ms["lamps"],
        scattergl_ms=ms["scattergl"],
        lamps_painted_ms=_median(costs["lamps"], "pixels"),
        scattergl_painted_ms=_median(costs["scattergl"], "pixels"),
        whole_city=ms["plotly"] / ms["city"],
        city_ms=ms["city"],
        plotly_ms=ms["plotly"],
        tokens=TOKENS,
        frames=FRAMES - WARM_UP,
    )
