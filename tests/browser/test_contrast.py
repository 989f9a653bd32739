"""Contrast of the map's names: WCAG 1.4.3, measured on the pixels with every lamp lit."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page
from scipy import ndimage

from tests.browser.map_page import write_maps
from tests.browser.pages import choose_entry, wait_for
from tests.support.application import Application
from tests.support.synthetic_runs.bright_run import KEEP, SIZE, BrightRun

pytestmark = [pytest.mark.browser, pytest.mark.tour]

MIN_RATIO = 4.5
"""The minimum ratio for text of any size; large text could have less, but there is none."""
DISTRICTS = ("animals", "marks", "people", "kitchen", "weather", "of the harbour")
READ = """async () => {
    const all = [...document.querySelectorAll('.city > canvas')];
    // Lamps may be drawn on fewer pixels than the names.
    const { width: wide, height: high } = all.at(-1);
    const pictures = all.map((one, i) => {
        const pen = new OffscreenCanvas(wide, high).getContext('2d', { willReadFrequently: true });
        // The whole as it is seen, and then the names alone.
        if (!i) {
            pen.fillStyle = '#0a0e1c';
            pen.fillRect(0, 0, wide, high);
            for (const each of all) pen.drawImage(each, 0, 0, wide, high);
        } else pen.drawImage(one, 0, 0, wide, high);
        return pen.getImageData(0, 0, wide, high).data;
    });
    const read = new FileReader();
    const done = new Promise((then) => (read.onload = () => then(read.result.split(',')[1])));
    read.readAsDataURL(new Blob(pictures));
    return { shape: [pictures.length, high, wide, 4], pictures: await done };
}"""


def luminance(colours: NDArray[Any]) -> NDArray[np.float64]:
    """Return the relative luminance, 0 to 1, of sRGB colours along the last axis."""
    part = colours[..., :3] / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def in_room(picture: NDArray[np.uint8], ambient: float) -> NDArray[np.float64]:
    """Return a picture of sRGB values as projected in a room whose light adds `ambient`, 0 to 1, of white."""
    return np.minimum(255, picture[..., :3] + 255 * ambient)


def read_pictures(page: Page) -> NDArray[np.uint8]:
    """Read the composed map, and then the names alone: pictures of sRGB bytes with their opacity."""
    found = page.evaluate(READ)
    return np.frombuffer(base64.b64decode(found["pictures"]), dtype=np.uint8).reshape(found["shape"])


def contrasts(data: NDArray[np.uint8], ambient: float = 0) -> list[tuple[float, int, int]]:
    """Measure the contrast of each text on the map. Returns (ratio, x, y), lowest first.

    The ratio is between the strokes and the brightest tenth of the surrounding pixels. `ambient` is the white
    that room light adds to each pixel's sRGB value, 0 to 1.
    """
    seen, names = luminance(in_room(data[0], ambient)), data[-1]
    # A name has bright strokes on its own dark band; markers have no such strokes, and rings are thin and
    # large.
    ink = luminance(names) * (names[..., 3] > 60)
    words = np.zeros(ink.shape, dtype=np.int32)
    many = ndimage.label(ndimage.binary_dilation(ink > 0.1, iterations=4), output=words)
    measured: list[tuple[float, int, int]] = []
    for place, where in enumerate(ndimage.find_objects(words), 1):
        mine = words[where] == place
        strokes = ink[where] * mine
        if not 6 <= mine.shape[0] <= 40 or mine.shape[1] < 12:
            continue
        core = strokes >= 0.85 * strokes.max()
        touched = ndimage.binary_dilation(strokes > 0.1, iterations=2) & (strokes < 0.02)
        if core.sum() < 8:
            continue
        text = float(np.median(seen[where][core]))
        behind = float(np.quantile(seen[where][touched], 0.9))
        high, low = max(text, behind), min(text, behind)
        measured.append(((high + 0.05) / (low + 0.05), where[1].start, where[0].start))
    assert many
    return sorted(measured)


@pytest.fixture(scope="module")
def served_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Application, BrightRun]]:
    runs: Path = tmp_path_factory.mktemp("runs")
    city = BrightRun(runs)
    write_maps(city.layouts, SIZE, (0,), DISTRICTS)
    with city.recorder, Application(runs, "serve", "--no-workers") as app:
        yield app, city


def test_names_stand_out_from_the_lamps_beneath(chromium: Browser, served_run: tuple[Application, BrightRun]):
    app, city = served_run
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(KEEP)
    page.goto(f"{app.url}/?run=bright&folded=1")
    wait_for(page, "window.__lamplighter?.shown && document.querySelector('[data-testid=page-menu]')")
    city.light_all(page)
    page.keyboard.press(" ")
    wait_for(page, "__lamplighter.labels.length > 5")
    looked_at = 0
    for _ in range(4):
        page.wait_for_timeout(1_000)
        measured = contrasts(read_pictures(page))
        looked_at += len(measured)
        poor = [(round(contrast, 2), x, y) for contrast, x, y in measured if contrast < MIN_RATIO]
        # Zoom in to where the lamps are.
        page.mouse.move(*page.evaluate("__lamplighter.pixelOf(50)"))
        page.mouse.wheel(0, -400)
        assert not poor
    context.close()
    assert looked_at > 20


AMBIENT = 0.2
"""White that a bright classroom adds to each pixel, in parts of the sRGB display value, before luminance."""


def lamp_contrasts(page: Page, data: NDArray[np.uint8], lit: NDArray[np.bool_]) -> tuple[float, float]:
    """Measure the lamps in ambient light.

    Returns the ratios of lit to sleeping lamps, and of these to the land.
    """
    seen, names = luminance(in_room(data[0], AMBIENT)), data[-1][..., 3]
    places = page.evaluate(f"Array.from({{ length: {SIZE} }}, (_, id) => __lamplighter.pixelOf(id))")
    peaks, lands = np.full(SIZE, np.nan), np.full(SIZE, np.nan)
    for token, (x, y) in enumerate(places):
        left, top = round(x), round(y)
        near = np.s_[max(0, top - 14) : top + 15, max(0, left - 14) : left + 15]
        free = seen[near][names[near] == 0]
        # Only lamps in view, with no name above them.
        if (
            seen[near].size == 29 * 29
            and free.size > 200
            and not names[top - 3 : top + 4, left - 3 : left + 4].any()
        ):
            peaks[token] = seen[top - 1 : top + 2, left - 1 : left + 2].max()
            lands[token] = np.quantile(free, 0.1)
    assert np.isfinite(peaks[lit]).sum() > 10
    assert np.isfinite(peaks[~lit]).sum() > 40
    # Compare the dimmest lit lamps with the median of the sleeping ones: in dense clusters some of these lie
    # in the glow of a lit one, or on top of one another.
    dim_lit, asleep = np.nanquantile(peaks[lit], 0.1), np.nanmedian(peaks[~lit])
    over_land = np.nanquantile((peaks[~lit] + 0.05) / (lands[~lit] + 0.05), 0.1)
    return float((dim_lit + 0.05) / (asleep + 0.05)), float(over_land)


@pytest.mark.parametrize(
    ("enlarged", "least"),
    [pytest.param(False, (3, 2, 1.2), id="at a desk"), pytest.param(True, (3.5, 2.5, 1.3), id="at the back")],
)
def test_names_and_lamps_stay_visible_in_a_bright_room(
    enlarged: bool,
    least: tuple[float, float, float],
    chromium: Browser,
    served_run: tuple[Application, BrightRun],
):
    app, city = served_run
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(KEEP)
    page.goto(f"{app.url}/?run=bright")
    wait_for(page, "window.__lamplighter?.shown")
    if enlarged:
        choose_entry(page, "toggleEnlarged")
    lit = np.arange(SIZE) % 10 == 0
    city.light(page, np.flatnonzero(lit))
    page.keyboard.press(" ")
    wait_for(page, "__lamplighter.labels.length > 4")
    page.wait_for_timeout(1_000)
    data = read_pictures(page)
    names = [contrast for contrast, _, _ in contrasts(data, AMBIENT)]
    measured = (names[0], *lamp_contrasts(page, data, lit))
    context.close()
    assert len(names) > 4
    assert all(ratio >= limit for ratio, limit in zip(measured, least, strict=True)), measured
