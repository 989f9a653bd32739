from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

import lamplighter
from tests.browser.map_page import write_maps
from tests.browser.pages import wait_for
from tests.browser.pictures.picture_files import DIM, HOSTILE, SIZE, STEPS
from tests.support.application import Application


@pytest.fixture(scope="package")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Record a finished run whose most common tokens are hostile and lit in every step."""
    runs = tmp_path_factory.mktemp("runs")
    choose = np.random.default_rng(5)
    weights = choose.normal(size=(SIZE, DIM)).astype(np.float32)
    tokens = [*HOSTILE, *(f"word{i}" for i in range(SIZE - len(HOSTILE)))]
    with lamplighter.record(
        runs / "mine", tokens, embedding=weights, counts=range(SIZE, 0, -1), keyframe_every=4
    ) as recorder:
        for step in range(1, STEPS + 1):
            ids = np.arange(len(HOSTILE) + 1)
            weights[ids] += np.float32(0.02)
            recorder.step(weights, ids, 3 / step, gradient=np.ones((SIZE, DIM), dtype=np.float32))
    write_maps(runs / "mine" / "layouts.sqlite", SIZE, range(STEPS + 1))
    with Application(runs, "serve", "--no-workers") as app:
        yield app


@pytest.fixture(scope="module")
def viewer(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    yield context
    context.close()


@pytest.fixture(scope="module")
def city(recorded: Application, viewer: BrowserContext) -> Page:
    """Open the export panel beside the map of the finished run."""
    page = viewer.new_page()
    page.goto(f"{recorded.url}/?run=mine&panel=export")
    wait_for(page, f"window.__lamplighter?.beat?.step === {STEPS} && __lamplighter.litPixels() > 0")
    return page
