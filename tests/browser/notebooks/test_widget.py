"""The living city as a widget in JupyterLab and marimo: live and finished, without a server of ours."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page

from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_store import RunStore
from tests.browser.map_page import write_maps
from tests.support.folders import FakeTrainer, V, make_run
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.tour]

LIT = "window.__lamplighter?.lit?.length > 0"


@pytest.fixture(params=["training", "ended"])
def trainer(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[FakeTrainer]:
    trainer = FakeTrainer(make_run(RunStore(tmp_path / "runs"), steps=5_000)).begin().train(30)
    write_maps(trainer.run.layouts_path, V, (0, 10, 20, 30), ("animals", "marks"))
    if request.param == "ended":
        trainer.end()
    yield trainer
    if request.param == "training":
        trainer.end()


@contextmanager
def serving(python: Path, folder: Path, *words: str) -> Generator[str]:
    """Run a server of notebooks; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [python, "-m", *words, f"--port={port}"], cwd=folder, env=environment, stdout=out, stderr=out
        )

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers, "the server of notebooks", 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def find_city(page: Page) -> Frame:
    """Return the frame of the widget, once its lamps are lit."""
    for _ in range(600):
        for frame in page.frames:
            if frame is not page.main_frame and frame.evaluate(LIT):
                return frame
        page.wait_for_timeout(100)
    raise AssertionError(f"no frame has lit its lamps: {page.locator('body').inner_text()[-2_000:]}")


def wait_in(page: Page, frame: Frame, condition: str) -> None:
    for _ in range(200):
        if frame.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(condition)


def click_lamp(page: Page, city: Frame, token: int) -> None:
    """Click a lamp on the map."""
    x, y = city.evaluate(f"__lamplighter.pixelOf({token})")
    box = city.locator("canvas").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.click(box["x"] + x, box["y"] + y)


def expect_live(page: Page, city: Frame, trainer: FakeTrainer) -> None:
    """Check that the page follows a run that trains."""
    if not read_status(trainer.run).phase.has_ended:
        trainer.train(5)
        wait_in(page, city, f"__lamplighter.step === {trainer.step}")


def test_jupyterlab_shows_the_city_and_shares_the_selection(
    python: Path, chromium: Browser, tmp_path: Path, trainer: FakeTrainer
) -> None:
    cells = [
        f"import lamplighter; run = lamplighter.open({str(trainer.run.path)!r}); city = run.widget(480); city",
        "print('selected:', city.selected)",
        "city.selected = [run.tokens[7], run.tokens[9]]",
        "city.selected = ['no such token']",
    ]
    empty = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    book = {
        "cells": [empty | {"id": f"cell{i}", "source": cell} for i, cell in enumerate(cells)],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "book.ipynb").write_text(json.dumps(book), encoding="utf-8")
    token = secrets.token_hex(8)
    settings = ("--no-browser", "--allow-root", "--ip=127.0.0.1", f"--IdentityProvider.token={token}")
    with serving(python, tmp_path, "jupyterlab", *settings) as address:
        page = chromium.new_page(viewport={"width": 1_280, "height": 900})
        page.goto(f"{address}/doc/tree/book.ipynb?token={token}", timeout=60_000)
        editors = page.locator(".jp-CodeCell .cm-content")

        def run_cell(number: int) -> None:
            editors.nth(number).click()
            page.keyboard.press("Shift+Enter")

        # A cell that is run before the kernel is there is dropped.
        page.get_by_text("| Idle").first.wait_for(timeout=60_000)
        run_cell(0)
        city = find_city(page)
        expect_live(page, city, trainer)
        page.locator(".jp-CodeCell").first.scroll_into_view_if_needed()
        click_lamp(page, city, 5)
        clicked = page.get_by_text(f"selected: ['{trainer.run.vocabulary.tokens[5]}']")
        for _ in range(20):
            run_cell(1)
            page.wait_for_timeout(1_000)
            if clicked.is_visible():
                break
        assert clicked.is_visible()
        run_cell(2)
        city.get_by_text("2 words selected").first.wait_for(timeout=20_000)
        run_cell(3)
        page.get_by_text(re.compile("'no such token' is not a token")).first.wait_for(timeout=20_000)
        page.close()


MARIMO = """
import marimo

app = marimo.App()


@app.cell
def _():
    import lamplighter, marimo as mo
    run = lamplighter.open(%r)
    city = mo.ui.anywidget(run.widget(480))
    city
    return city, mo, run


@app.cell
def _(city, mo, run):
    both = [run.tokens[7], run.tokens[9]]
    mo.ui.button(label="take two", on_click=lambda _: setattr(city.widget, "selected", both))
    return


@app.cell
def _(city, mo):
    city.value
    mo.md("selected: " + ", ".join(city.widget.selected))
    return
"""


def test_marimo_shows_the_city_and_shares_the_selection(
    python: Path, chromium: Browser, tmp_path: Path, trainer: FakeTrainer
) -> None:
    (tmp_path / "book.py").write_text(MARIMO % str(trainer.run.path), encoding="utf-8")
    with serving(python, tmp_path, "marimo", "run", "book.py", "--headless", "--no-token") as address:
        page = chromium.new_page(viewport={"width": 1_280, "height": 900})
        page.goto(address, timeout=60_000)
        city = find_city(page)
        expect_live(page, city, trainer)
        click_lamp(page, city, 5)
        page.get_by_text(f"selected: {trainer.run.vocabulary.tokens[5]}").wait_for(timeout=20_000)
        page.get_by_role("button", name="take two").click()
        city.get_by_text("2 words selected").first.wait_for(timeout=20_000)
        page.close()
