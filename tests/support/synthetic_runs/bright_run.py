"""A run whose lamps flash brighter than any real one's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

import lamplighter
from lamplighter.runfolder.run_store import RunStore
from tests.browser.pages import wait_for

SIZE = 600


# A WebGL canvas discards its picture once it is displayed, but the test must read it at any time.
KEEP = """const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, more) {
    return get.call(this, kind, kind === 'webgl2' ? { ...more, preserveDrawingBuffer: true } : more);
};"""


class BrightRun:
    """A run in progress that takes a step on request; each step lights every lamp, the worst case."""

    def __init__(self, runs: Path) -> None:
        choose = np.random.default_rng(3)
        self.gradient = np.abs(choose.normal(size=(SIZE, 2))).astype(np.float32)
        self.weights = np.zeros((SIZE, 2), dtype=np.float32)
        tokens = [f"word{i}" for i in range(SIZE)]
        self.recorder = lamplighter.record(runs / "bright", tokens, embedding=self.weights)
        self.layouts = RunStore(runs).find("bright").layouts_path
        self.step = 0

    def light_all(self, page: Page) -> None:
        """Record one step and wait for its beat, which comes at once if 340 ms have passed since the last."""
        self.light(page, np.arange(SIZE))

    def light(self, page: Page, ids: NDArray[np.int64]) -> None:
        """Record one step that lights these rows, and wait for its beat."""
        self.step += 1
        gradient = np.zeros_like(self.gradient)
        gradient[ids] = self.gradient[ids]
        self.recorder.step(self.weights, ids, 3 / self.step, gradient=gradient)
        wait_for(page, f"__lamplighter.beat?.step === {self.step}", every=0.01)
