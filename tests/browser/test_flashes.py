"""Flashes of the map: WCAG 2.3.1, measured on the pixels of its canvases at the fastest beats."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.fixtures import FinishedRun
from tests.browser.map_page import write_maps
from tests.browser.pages import close_menu, open_view, wait_for
from tests.support.application import Application
from tests.support.synthetic_runs.bright_run import KEEP, SIZE, BrightRun

pytestmark = pytest.mark.browser

CELL = 4
"""Every 4th pixel of every 4th line is sampled without averaging."""
AREA = (256 // CELL, 341 // CELL)
"""10 degrees of view on a screen of 1024 x 768, as WCAG counts them."""
CHANGE = 0.1
EVERY = 50
"""Milliseconds between two sampled pictures, on the page's clock."""
BEATS, EACH = 4, 7
"""Number of sampled beats, and pictures per beat: 350 ms, where 340 is the minimum."""
START = """(cell) => {
    const [lamps, names] = [...document.querySelectorAll('.city > canvas')];
    const [wide, high] = [Math.floor(innerWidth / cell), Math.floor(innerHeight / cell)];
    const pen = new OffscreenCanvas(wide, high).getContext('2d', { willReadFrequently: true });
    pen.imageSmoothingEnabled = false;
    const linear = Float32Array.from({ length: 256 }, (_, i) =>
        i / 255 <= 0.04045 ? i / 255 / 12.92 : ((i / 255 + 0.055) / 1.055) ** 2.4);
    const seen = (window.seen = { pictures: [], beats: new Set(), red: 0, shape: [high, wide] });
    window.look = () => {
        pen.drawImage(lamps, 0, 0, wide, high);
        pen.drawImage(names, 0, 0, wide, high);
        const { data } = pen.getImageData(0, 0, wide, high);
        const light = new Uint8Array(wide * high);
        for (let i = 0; i < light.length; i++) {
            const [r, g, b] = [linear[data[4 * i]], linear[data[4 * i + 1]], linear[data[4 * i + 2]]];
            light[i] = Math.round(255 * (0.2126 * r + 0.7152 * g + 0.0722 * b));
            if (r > 0.05 && r / (r + g + b) >= 0.8) seen.red += 1;
        }
        seen.pictures.push(light);
        seen.beats.add(__lamplighter.beat?.step);
    };
}"""
SEEN = """() => new Promise((done) => {
    const read = new FileReader();
    const beats = [...window.seen.beats];
    read.onload = () => done({ ...window.seen, beats, pictures: read.result.split(',')[1] });
    read.readAsDataURL(new Blob(window.seen.pictures));
})"""


@pytest.fixture(scope="module")
def city(finished_run: FinishedRun) -> Iterator[BrightRun]:
    bright = BrightRun(finished_run.server.runs)
    write_maps(bright.layouts, SIZE, (0,))
    with bright.recorder:
        yield bright


def open_city(page: Page, server: Application, city: BrightRun) -> None:
    page.goto(f"{server.url}/?run=bright&folded=1")
    wait_for(page, "window.__lamplighter?.shown && document.querySelector('[data-testid=page-menu]')")
    open_view(page)
    page.get_by_test_id("beats").select_option("340")
    close_menu(page)
    city.light_all(page)


def opposing_changes(light: np.ndarray) -> np.ndarray:
    """Return whether an opposing change of at least `CHANGE` completes, by picture and pixel."""
    low = high = light[0]
    rising = np.zeros(light.shape[1:], dtype=np.int8)
    turned = np.zeros(light.shape, dtype=bool)
    for now, turns in zip(light, turned, strict=True):
        low, high = np.minimum(low, now), np.maximum(high, now)
        up, down = (now - low >= CHANGE) & (rising <= 0), (high - now >= CHANGE) & (rising >= 0)
        turns[:] = up | down
        rising = np.where(up, 1, np.where(down, -1, rising)).astype(np.int8)
        # After a turn, measure how far the luminance moves the other way.
        low, high = np.where(turns, now, low), np.where(turns, now, high)
        high, low = (
            np.where(rising > 0, np.maximum(high, now), high),
            np.where(rising < 0, np.minimum(low, now), low),
        )
    return turned


def flashing(times: np.ndarray, turned: np.ndarray, most: int) -> float:
    """Return the largest share of a 10-degree area that turns more than `most` times within a second."""
    worst = 0.0
    rows, columns = AREA
    for first in range(len(times)):
        within = (times >= times[first]) & (times < times[first] + 1)
        often = (turned[within].sum(axis=0) > most).astype(np.int32)
        sums = np.pad(often, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
        areas = (
            sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
        )
        worst = max(worst, float(areas.max()) / (rows * columns))
    return worst


def test_a_flash_is_detected() -> None:
    """A picture that turns dark and light four times a second flashes too often, over its whole area."""
    times = np.arange(40) / 20
    light = np.where((np.arange(40) // 2.5).astype(int) % 2, 0.3, 0.1)[:, None, None]
    light = np.broadcast_to(light, (40, 192, 256)).astype(np.float32)
    assert flashing(times, opposing_changes(light), 6) == 1
    assert flashing(times, opposing_changes(0.4 * light), 1) == 0


def test_beats_do_not_flash(chromium: Browser, finished_run: FinishedRun, city: BrightRun) -> None:
    """The page's clock advances from picture to picture, so a slow machine sees what a fast one does."""
    page = chromium.new_page(viewport={"width": 1024, "height": 768})
    page.add_init_script(KEEP)
    page.clock.install()
    open_city(page, finished_run.server, city)
    page.clock.pause_at(page.evaluate("Date.now() + 5000"))
    page.evaluate(START, CELL)
    for _ in range(BEATS):
        city.light_all(page)
        for _ in range(EACH):
            page.clock.fast_forward(EVERY)
            page.evaluate("window.look()")
    seen = page.evaluate(SEEN)
    light = np.frombuffer(base64.b64decode(seen["pictures"]), dtype=np.uint8)
    light = light.reshape(-1, *seen["shape"]) / np.float32(255)
    times = np.arange(len(light)) * EVERY / 1e3
    # Guard against an empty test: each step was a beat, and its lamps came and went.
    assert len(seen["beats"]) == BEATS
    turned = opposing_changes(light)
    assert turned.sum(axis=0).max() >= 2 * BEATS - 2
    # No pixel flashes more than three times a second, and few pixels of any 10 degrees change more than three
    # times.
    assert flashing(times, turned, 6) == 0
    assert 0 < flashing(times, turned, 3) <= 0.25
    # No red is saturated, which is stricter than the criterion.
    assert seen["red"] == 0
    page.close()


@pytest.mark.tour
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_with_reduced_motion_nothing_glides_during_beats(
    motion: Literal["reduce", "no-preference"], chromium: Browser, finished_run: FinishedRun, city: BrightRun
) -> None:
    page = chromium.new_page(viewport={"width": 1024, "height": 768}, reduced_motion=motion)
    page.clock.install()
    open_city(page, finished_run.server, city)
    page.clock.pause_at(page.evaluate("Date.now() + 5000"))
    before = page.evaluate("__lamplighter.shown.step")
    write_maps(city.layouts, SIZE, (city.step,))
    wait_for(page, f"__lamplighter.shown.step > {before}")
    city.light_all(page)
    for _ in range(10):
        page.clock.fast_forward(EVERY)
    assert (page.evaluate("__lamplighter.glided") == 0) == (motion == "reduce")
    page.close()
