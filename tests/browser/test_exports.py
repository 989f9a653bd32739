"""Exports through the page: made, watched, cancelled and downloaded; and what other viewers see."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from safetensors.numpy import load_file

from lamplighter.runfolder.reading.run_status import read_status
from tests.browser.fixtures import sound_page
from tests.browser.pages import show_address, show_level
from tests.support.application import Application
from tests.support.runs import wait_for_step
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

LATER = 40_000


@pytest.fixture(scope="module")
def page(presenter: BrowserContext, chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium, storage_state=presenter.storage_state()) as opened:
        yield opened


@pytest.fixture
def panel(page: Page, application: Application) -> Locator:
    """Open the export panel on a run that has begun to train."""
    show_address(page, f"{application.url}/")
    run = application.only_run()
    # Pause the training but keep the trainer: the exports need the machine.
    if wait_for_step(run, 40, 90).phase == "running":
        application.ask(run, "pause")
        wait_until(lambda: read_status(run).phase == "paused", "the pause")
    show_level(page, "lab")
    page.get_by_test_id("tab-export").focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_test_id("export-html")).to_be_enabled(timeout=LATER)
    return panel


def caught(application: Application, panel: Locator, format: str) -> psutil.Process:
    """Wait for an export's process and suspend it in mid-work."""
    for _ in range(10):
        panel.get_by_test_id(f"export-{format}").click()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for child in psutil.Process(application.process.pid).children():
                try:
                    if "lamplighter.exports.worker" in child.cmdline():
                        child.suspend()
                        return child
                except psutil.NoSuchProcess:
                    continue
    raise AssertionError("every export was done before it could be held")


def discard_all(panel: Locator) -> None:
    """Discard every finished export in the list."""
    exports = panel.get_by_test_id("export")
    for left in range(exports.count() - 1, -1, -1):
        panel.get_by_test_id("export-discard").first.click()
        expect(exports).to_have_count(left, timeout=LATER)


@pytest.mark.tour
def test_the_replay_page_is_made_and_downloaded_by_keyboard(page: Page, panel: Locator, tmp_path: Path):
    expect(panel.get_by_test_id("export-none")).to_be_visible(timeout=LATER)
    panel.get_by_test_id("export-html").focus()
    page.keyboard.press("Enter")
    link = panel.get_by_test_id("export-download")
    expect(link).to_contain_text(re.compile("[kM]B"), timeout=LATER)
    link.focus()
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    downloading.value.save_as(tmp_path / "replay.html")
    assert downloading.value.suggested_filename.endswith(".html")
    text = (tmp_path / "replay.html").read_text(encoding="utf-8")
    assert text.lower().startswith("<!doctype html>")
    # The link states the size before the download.
    kilobytes = round((tmp_path / "replay.html").stat().st_size / 1e3)
    expect(link).to_contain_text(f"{kilobytes} kB" if kilobytes < 1_000 else f"{kilobytes / 1e3:.1f} MB")
    expect(panel).to_contain_text("the vectors, and most of the text")
    panel.get_by_test_id("export-discard").click()
    expect(panel.get_by_test_id("export")).to_have_count(0, timeout=LATER)


def test_running_exports_show_progress_and_can_be_cancelled(
    page: Page, panel: Locator, application: Application
):
    held = caught(application, panel, "zip")
    running = panel.locator("[data-testid=export][data-state=running]")
    expect(running.get_by_role("progressbar")).to_be_visible(timeout=LATER)
    expect(running).to_contain_text("%")
    running.get_by_test_id("export-cancel").click()
    expect(panel.locator("[data-testid=export][data-state=cancelled]")).to_have_count(1, timeout=LATER)
    assert not held.is_running() or held.status() == psutil.STATUS_ZOMBIE
    # An export whose process dies reports it.
    caught(application, panel, "zip").kill()
    failed = panel.locator("[data-testid=export][data-state=failed]")
    expect(failed.get_by_role("alert")).to_contain_text("was killed", timeout=LATER)


@pytest.mark.tour
def test_a_missing_step_is_explained(page: Page, panel: Locator):
    panel.get_by_test_id("export-step").fill("999999")
    panel.get_by_test_id("export-npy").click()
    # The message scrolls into view, because it appears below earlier content of the panel.
    expect(panel.get_by_role("alert").filter(has_text="has no step 999,999")).to_be_in_viewport(timeout=LATER)
    panel.get_by_test_id("export-step").fill("-1")
    made = panel.get_by_test_id("export").count()
    panel.get_by_test_id("export-npy").click()
    # The browser says what is wrong, beside the field, and the server is not asked.
    expect(panel.locator("[data-testid=export-step]:invalid")).to_be_focused()
    expect(panel.get_by_test_id("export")).to_have_count(made)
    # Scrolling the panel never scrolls the page around it.
    assert page.evaluate("document.querySelector('main').scrollTop") == 0
    assert page.evaluate("document.querySelector('main').scrollHeight <= innerHeight")


def test_viewers_see_why_they_cannot_export_and_can_download_finished_exports(
    page: Page, panel: Locator, application: Application, chromium: Browser, tmp_path: Path
):
    # An export left on the shared run by an earlier test would be mistaken for this one.
    discard_all(panel)
    panel.get_by_test_id("export-step").fill("40")
    panel.get_by_test_id("export-safetensors").click()
    expect(panel.locator("[data-testid=export][data-state=done]")).to_have_count(1, timeout=LATER)
    # Close this map: without a GPU a machine can draw only one at a time.
    page.goto("about:blank")
    with sound_page(chromium, viewport={"width": 390, "height": 844}) as page:
        page.goto(f"{application.url}/?panel=export", wait_until="domcontentloaded")
        expect(page.get_by_test_id("export-viewer")).to_contain_text("Only the presenter", timeout=LATER)
        for name in ("export-html", "export-zip", "export-npy", "export-step", "export-discard"):
            expect(page.get_by_test_id(name).first).to_be_disabled()
        link = page.get_by_test_id("export-download")
        with page.expect_download() as downloading:
            link.click()
        downloading.value.save_as(tmp_path / "matrix.safetensors")
        assert "-step-40.safetensors" in downloading.value.suggested_filename
        assert load_file(tmp_path / "matrix.safetensors")["embedding"].ndim == 2
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
