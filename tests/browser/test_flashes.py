"""The city does not flash: WCAG 2.3.1, measured on the pixels of its canvases at the fastest pace of beats."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

import lamplighter
from lamplighter.runfolder.shelf import Shelf
from tests.application import Application
from tests.browser.cities import draw
from tests.browser.pages import wait_for

pytestmark = pytest.mark.browser

SIZE, STEPS = 600, 1_200
BATCH = 150
"""Rows a step lights in the run `batch`: a quarter of the city, as in a Lamptown run. `all` lights every row."""
CELL = 4
"""Every 4th pixel of every 4th line is looked at; as it is, not as the mean of its surroundings."""
AREA = (256 // CELL, 341 // CELL)
"""10 degrees of view on a screen of 1024 x 768, as WCAG counts them."""
CHANGE = 0.1
SECONDS = 2.5
# A WebGL canvas forgets its picture once it is on the screen; here it has to be read at any time.
KEEP = """const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, more) {
    return get.call(this, kind, kind === 'webgl2' ? { ...more, preserveDrawingBuffer: true } : more);
};"""
WATCH = """async ([seconds, cell]) => {
    const [lamps, names] = [...document.querySelectorAll('.city > canvas')];
    const [wide, high] = [Math.floor(innerWidth / cell), Math.floor(innerHeight / cell)];
    const pen = new OffscreenCanvas(wide, high).getContext('2d', { willReadFrequently: true });
    pen.imageSmoothingEnabled = false;
    const linear = Float32Array.from({ length: 256 }, (_, i) =>
        i / 255 <= 0.04045 ? i / 255 / 12.92 : ((i / 255 + 0.055) / 1.055) ** 2.4);
    const seen = { times: [], pictures: [], beats: new Set(), red: 0, shape: [high, wide] };
    const begun = performance.now();
    while (performance.now() - begun < 1e3 * seconds) {
        const at = performance.now();
        pen.drawImage(lamps, 0, 0, wide, high);
        pen.drawImage(names, 0, 0, wide, high);
        const { data } = pen.getImageData(0, 0, wide, high);
        const light = new Uint8Array(wide * high);
        for (let i = 0; i < light.length; i++) {
            const [r, g, b] = [linear[data[4 * i]], linear[data[4 * i + 1]], linear[data[4 * i + 2]]];
            light[i] = Math.round(255 * (0.2126 * r + 0.7152 * g + 0.0722 * b));
            if (r > 0.05 && r / (r + g + b) >= 0.8) seen.red += 1;
        }
        seen.times.push(at / 1e3);
        seen.pictures.push(light);
        if (__lamplighter.beat) seen.beats.add(__lamplighter.beat.step);
        await new Promise((next) => setTimeout(next, Math.max(0, 50 - (performance.now() - at))));
    }
    const all = new Blob(seen.pictures);
    const read = new FileReader();
    await new Promise((done) => { read.onload = done; read.readAsDataURL(all); });
    return { ...seen, beats: [...seen.beats], pictures: read.result.split(',')[1] };
}"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Two finished runs, whose maps change as they are played: an ordinary one, and the worst there can be."""
    runs = tmp_path_factory.mktemp("runs")
    choose = np.random.default_rng(3)
    tokens = [f"word{i}" for i in range(SIZE)]
    gradient = np.abs(choose.normal(size=(SIZE, 2))).astype(np.float32)
    for name, lit in (("batch", BATCH), ("all", SIZE)):
        weights = np.zeros((SIZE, 2), dtype=np.float32)
        with lamplighter.record(runs / name, tokens, embedding=weights, keyframe_every=400) as recorder:
            for step in range(1, STEPS + 1):
                ids = choose.permutation(SIZE)[:lit]
                recorder.step(weights, ids, 3 / step, gradient=gradient)
        draw(Shelf(runs).find(name).layouts_path, SIZE, range(0, STEPS, 100))
    with Application(runs, "serve", "--no-workers") as app:
        yield app


def play(chromium: Browser, house: Application, run: str, **context: Any) -> Page:
    """A run played from its start, its beats as close together as can be asked for."""
    page = chromium.new_page(viewport={"width": 1024, "height": 768}, **context)
    page.add_init_script(KEEP)
    page.goto(f"{house.url}/?run={run}&folded=1")
    wait_for(page, "window.__lamplighter?.beat && __lamplighter.shown")
    page.get_by_test_id("beats").select_option("340")
    page.get_by_test_id("replay-from-start").click()
    wait_for(page, "0 < __lamplighter.beat?.step && __lamplighter.beat.step < 1100")
    return page


def watch(page: Page) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Seconds, (N,), and relative luminance of the looked-at pixels, (N, rows, columns), and what else was seen."""
    seen = page.evaluate(WATCH, [SECONDS, CELL])
    light = np.frombuffer(base64.b64decode(seen["pictures"]), dtype=np.uint8)
    return np.array(seen["times"]), light.reshape(-1, *seen["shape"]) / np.float32(255), seen


def opposing_changes(light: np.ndarray) -> np.ndarray:
    """By picture and pixel, whether a change of `CHANGE` against the last one is complete with this picture."""
    low = high = light[0]
    rising = np.zeros(light.shape[1:], dtype=np.int8)
    turned = np.zeros(light.shape, dtype=bool)
    for now, turns in zip(light, turned, strict=True):
        low, high = np.minimum(low, now), np.maximum(high, now)
        up, down = (now - low >= CHANGE) & (rising <= 0), (high - now >= CHANGE) & (rising >= 0)
        turns[:] = up | down
        rising = np.where(up, 1, np.where(down, -1, rising)).astype(np.int8)
        # From a turn on, what counts is how far it goes the other way.
        low, high = np.where(turns, now, low), np.where(turns, now, high)
        high, low = np.where(rising > 0, np.maximum(high, now), high), np.where(rising < 0, np.minimum(low, now), low)
    return turned


def flashing(times: np.ndarray, turned: np.ndarray, most: int) -> float:
    """The largest part of any 10-degree area of which each pixel turns more than `most` times within a second."""
    worst = 0.0
    rows, columns = AREA
    for first in range(len(times)):
        within = (times >= times[first]) & (times < times[first] + 1)
        often = (turned[within].sum(axis=0) > most).astype(np.int32)
        sums = np.pad(often, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
        areas = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
        worst = max(worst, float(areas.max()) / (rows * columns))
    return worst


def test_a_flash_is_counted_as_such() -> None:
    """A picture that is dark and light in turn, four times a second: too often, on all of it."""
    times = np.arange(40) / 20
    light = np.where((np.arange(40) // 2.5).astype(int) % 2, 0.3, 0.1)[:, None, None]
    light = np.broadcast_to(light, (40, 192, 256)).astype(np.float32)
    assert flashing(times, opposing_changes(light), 6) == 1
    assert flashing(times, opposing_changes(0.4 * light), 1) == 0
    slow = np.repeat(light[::2], 2, axis=0)[:40] * np.float32(1)
    assert slow.shape == light.shape


@pytest.mark.parametrize("run", ["batch", "all"])
def test_beats_do_not_flash(run: str, chromium: Browser, house: Application) -> None:
    page = play(chromium, house, run)
    times, light, seen = watch(page)
    page.close()
    turned = opposing_changes(light)
    print(run, len(times), len(seen["beats"]), {n: round(flashing(times, turned, n), 4) for n in range(8)}, seen["red"], light.max(), turned.sum())
    # It was looked at often enough, and there was something to see.
    assert len(times) / SECONDS >= 10
    assert len(seen["beats"]) >= 2.2 * SECONDS
    assert light.max() > 0.5
    assert turned.any()
    assert seen["red"] == 0


def test_without_motion_nothing_glides_while_beats_come(chromium: Browser, house: Application) -> None:
    page = play(chromium, house, "batch", reduced_motion="reduce")
    first = page.evaluate("[__lamplighter.beat.step, __lamplighter.shown.step]")
    wait_for(page, f"__lamplighter.beat.step > {first[0]} && __lamplighter.shown.step > {first[1]}")
    assert page.evaluate("__lamplighter.glided") == 0
    page.close()
