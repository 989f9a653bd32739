"""A client's training loop on the page: its settings, and the inconsistencies in its reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

import lamplighter
from tests.browser.pages import wait_for
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

SIZE, DIM = 60, 8
CONFIG = {"lr": 0.0003, "model": {"layers": 4}, "note": "<b>bold</b>"}


def record_wrongly(folder: Path) -> None:
    """Record ten steps whose gradient has other rows than their ids."""
    draw = np.random.default_rng(5)
    weights = draw.normal(size=(SIZE, DIM)).astype(np.float32)
    tokens = [f"word{i}" for i in range(SIZE)]
    with lamplighter.record(folder, tokens, embedding=weights, config=CONFIG) as recorder:
        for step in range(1, 11):
            read, moved = draw.permutation(SIZE)[:20].reshape(2, 10)
            gradient = np.zeros_like(weights)
            gradient[moved] = 0.1
            weights[moved] += 0.01
            recorder.step(weights, read, 3 / step, gradient=gradient)


def test_its_settings_and_inconsistencies_are_shown(tmp_path: Path, chromium: Browser) -> None:
    with pytest.warns(UserWarning, match="other rows"):
        record_wrongly(tmp_path / "mine")
    with Application(tmp_path, "serve") as application:
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        page.goto(f"{application.url}/?run=mine&map=linear&panel=step")
        wait_for(page, "document.querySelector('[data-testid=contradictions]')")
        expect(page.get_by_test_id("contradictions")).to_contain_text(
            "The gradient has other rows than the ids"
        )
        page.goto(f"{application.url}/?run=mine&map=linear&panel=run")
        settings = page.get_by_test_id("loop-settings")
        expect(settings).to_contain_text("model.layers")
        # The loop's values are text, never markup.
        expect(settings).to_contain_text("<b>bold</b>")
        expect(page.get_by_test_id("run-events")).to_contain_text("Recorded from a training loop of its own")
        page.close()
