"""Runs in notebooks, executed by their own runners in an environment of its own: nbclient and marimo."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.chromium import launch_arguments
from tests.support.synthetic_runs.recorded import record

pytestmark = [pytest.mark.browser, pytest.mark.tour]

NBCLIENT = """
import json, sys
import nbformat
from nbclient import NotebookClient

cells = ["import lamplighter; run = lamplighter.open(%r); run", "run.show()"]
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
NotebookClient(book, timeout=120, kernel_name="python3").execute()
print(json.dumps([cell.outputs[0].data["text/html"] for cell in book.cells]))
"""
MARIMO = """
import marimo

app = marimo.App()


@app.cell
def _():
    import lamplighter
    run = lamplighter.open(%r)
    run
    return (run,)


@app.cell
def _(run):
    run.show()
    return


if __name__ == "__main__":
    app.run()
"""
LIT = "window.__lamplighter?.lit?.length > 0"


def run_in(python: Path, *words: str, folder: Path) -> str:
    """Return what a command of the environment prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, *words], capture_output=True, text=True, check=False, cwd=folder, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def expect_city(page_html: str) -> None:
    """Check that one of the frames of a page lights its lamps."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments())
        page = browser.new_page()
        page.set_content(page_html)
        for _ in range(400):
            frames = [one for one in page.frames if one is not page.main_frame]
            if any(one.evaluate(LIT) for one in frames):
                break
            page.wait_for_timeout(50)
        else:
            raise AssertionError("no frame has lit its lamps")
        browser.close()


def test_nbclient_shows_the_card_and_the_page(python: Path, tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    card, page = json.loads(run_in(python, "-c", NBCLIENT % str(run.path), folder=tmp_path))
    assert "data:image/png" in card
    expect_city(page)


def test_marimos_own_runner_shows_both(python: Path, tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    (tmp_path / "book.py").write_text(MARIMO % str(run.path), encoding="utf-8")
    script = (
        "import runpy, json; book = runpy.run_path('book.py'); outputs, _ = book['app'].run();"
        " print(json.dumps([one._repr_html_() for one in outputs if hasattr(one, '_repr_html_')]))"
    )
    card, page = json.loads(run_in(python, "-c", script, folder=tmp_path))
    assert "data:image/png" in card
    expect_city(page)
    exported = run_in(python, "-m", "marimo", "export", "html", "book.py", folder=tmp_path)
    assert "data:image/png" in exported
    assert "packed-head" in exported
