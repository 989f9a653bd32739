"""Trails on a rotating map, and in pictures of it."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.wire.layout_frames import Layout, Method
from tests.browser.pages import open_panel, wait_for
from tests.browser.pictures.picture_files import PIXELS, saved
from tests.support.application import Application
from tests.support.folders import FakeTrainer, V, make_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]

WANDERER, STAYING = 7, (1, 2, 3, 4)

TRAIL_ENDS = "__lamplighter.trails[0]?.end"
"""The end of the first trail on the screen, in CSS pixels."""


@pytest.fixture(scope="module")
def turning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Application, str]]:
    """Make a finished run whose maps rotate as a whole, while one token moves across them."""
    with Application(tmp_path_factory.mktemp("runs"), "serve", "--no-workers") as server:
        trainer = FakeTrainer(make_run(RunStore(server.runs))).begin().train(30)
        places = np.random.default_rng(3).normal(size=(V, 2)) * (1.6, 1)
        with LayoutsWriter(trainer.run.layouts_path) as writer:
            for step in (10, 15, 20, 25, 30):
                xy = places.copy()
                xy[WANDERER] = (-1 + step / 12, 0.5 * (step % 10 == 0))
                angle = (step - 10) / 25
                turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                moved = (xy @ turn.T).astype(np.float32)
                trust = np.full(V, 220, dtype=np.uint8)
                for method in (Method.LINEAR, Method.UMAP):
                    writer.commit(Layout(1, step, time.time(), method, moved, 0.9, 0.01, 0.6, V, trust))
        trainer.end()
        yield server, trainer.run.id


def open_newest_map(
    viewer: BrowserContext, turning: tuple[Application, str], more: str, *, align: bool
) -> Page:
    """Open the newest step's map by way of the first, at which `align` pins the selected tokens."""
    server, run = turning
    page = viewer.new_page()
    page.emulate_media(reduced_motion="reduce")
    gathered = ",".join(map(str, STAYING))
    page.goto(f"{server.url}/?run={run}&at=10&token={WANDERER}&tokens={gathered}&panel=gathered&over=0{more}")
    wait_for(page, "window.__lamplighter?.shown?.step === 10")
    if align:
        page.get_by_test_id("align").press("Space")
        expect(page.get_by_test_id("aligned")).to_be_visible()
    open_panel(page, "export")
    # The tabs handle the End key themselves.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("End")
    wait_for(page, "__lamplighter.shown.step === 30")
    page.wait_for_timeout(500)
    return page


def test_a_trail_rotates_with_the_aligned_map(viewer: BrowserContext, turning: tuple[Application, str]):
    apart = f"(([x, y], [u, v]) => Math.hypot(x - u, y - v))({TRAIL_ENDS}, __lamplighter.pixelOf({WANDERER}))"
    ends: list[np.ndarray] = []
    for align in (False, True):
        page = open_newest_map(viewer, turning, "&trails=chosen", align=align)
        wait_for(page, f"{TRAIL_ENDS} && {apart} < 2")
        ends.append(np.array(page.evaluate(TRAIL_ENDS)))
        page.close()
    assert np.hypot(*(ends[0] - ends[1])) > 50, "the map was turned, and what is on it"


def test_pictures_include_trails(viewer: BrowserContext, turning: tuple[Application, str], tmp_path: Path):
    page = open_newest_map(viewer, turning, "&trails=chosen", align=True)
    wait_for(page, f"{TRAIL_ENDS}")
    page.get_by_test_id("picture-size").select_option("screen")
    with_trails = saved(page, lambda: page.get_by_test_id("save-png").click(), tmp_path)
    page.close()
    without = open_newest_map(viewer, turning, "", align=True)
    without.get_by_test_id("picture-size").select_option("screen")
    # Both pictures have the same file name.
    path = saved(without, lambda: without.get_by_test_id("save-png").click(), tmp_path / "without")
    without.close()
    after, before = (light_of(viewer, path) for path in (with_trails, path))
    rows, columns = np.nonzero(after - before > 60)
    assert len(rows) > 100, "the trail is light that was not there"
    assert np.hypot(np.ptp(rows), np.ptp(columns)) > 100, "it leads from one place to another"
    assert np.mean(after != before) < 0.05, "the rest of the picture is the same"


def light_of(viewer: BrowserContext, path: Path) -> np.ndarray:
    """Return the sum of red, green and blue of each pixel of an image, as another page shows it. Shape (H, W)."""
    page = viewer.new_page()
    data = base64.b64encode(path.read_bytes()).decode()
    read = PIXELS.replace(
        "let bright = 0;",
        "const rows = Array.from({ length: canvas.height }, (_, y) => Array.from({ length: canvas.width }, (_, x) => {"
        " const at = 4 * (y * canvas.width + x); return data[at] + data[at + 1] + data[at + 2]; }));"
        " return rows;",
    )
    rows = page.evaluate(read, f"data:image/png;base64,{data}")
    page.close()
    return np.array(rows, dtype=int)
