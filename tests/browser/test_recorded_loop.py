"""A client's training loop on the page: its settings, the inconsistencies in its reports, and its processes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, expect

import lamplighter
from tests.browser.axe import find_violations
from tests.browser.fixtures import FinishedRun
from tests.browser.map_page import write_maps
from tests.browser.pages import show_address
from tests.support.application import Application
from tests.support.machine.ranks import run_ranks
from tests.support.machine.shared_training import ROWS, SharedModel, global_batches, part_of

pytestmark = pytest.mark.browser

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


def test_its_settings_and_inconsistencies_are_shown(finished_run: FinishedRun, desk: Page) -> None:
    server = finished_run.server
    with pytest.warns(UserWarning, match="other rows"):
        record_wrongly(server.runs / "loop")
    write_maps(server.run("loop").layouts_path, SIZE, (0, 10))
    show_address(desk, f"{server.url}/?run=loop&panel=step")
    expect(desk.get_by_test_id("contradictions")).to_contain_text("The gradient has other rows than the ids")
    show_address(desk, f"{server.url}/?run=loop&panel=run")
    settings = desk.get_by_test_id("loop-settings")
    expect(settings).to_contain_text("model.layers")
    # The loop's values are text, never markup.
    expect(settings).to_contain_text("<b>bold</b>")
    expect(desk.get_by_test_id("run-events")).to_contain_text("Recorded from a training loop of its own")


def train_slowly(rank: int, size: int, folder: Path) -> None:
    """Train a table that FSDP2 splits. The second process is slow to read its data."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    init_device_mesh("cpu", (size,))
    model: Any = fully_shard(SharedModel())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    words = [f"word{i}" for i in range(ROWS)]
    with lamplighter.watch(model, words, folder / "slow", on_error="raise"):
        for (batch,) in global_batches(30):
            ids = part_of(batch, rank, size)
            time.sleep(0.05 * rank)
            model(ids, ids.roll(-1, 1))[1].backward()
            optimizer.step()
            optimizer.zero_grad()


@pytest.mark.tour
def test_its_processes_are_shown_with_their_rows_their_bytes_and_the_one_that_lags(
    tmp_path: Path, chromium: Browser
) -> None:
    run_ranks(train_slowly, 2, tmp_path)
    with Application(tmp_path, "serve") as application:
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        address = f"{application.url}/?run=slow&map=linear&colour=owner"
        page.goto(f"{address}&panel=cost&section=processes")
        section = page.get_by_test_id("processes")
        expect(section).to_contain_text("Process 1 lags: the others wait for it.")
        expect(section).to_contain_text("process 0 has rows 0 to 30")
        expect(section).to_contain_text("process 1 has rows 31 to 60")
        expect(section).to_contain_text("headers: 512 N (N - 1)")
        # Where the bytes are not those of the formula.
        expect(section.locator("dd", has_text="≠")).to_have_count(0)
        assert find_violations(page) == []
        page.goto(f"{address}&panel=claims")
        expect(page.locator("#claim-18")).to_have_attribute("data-state", "holds")
        page.close()
