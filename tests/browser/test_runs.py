"""Runs in the browser: a new one from a person's own text, a server that dies, hostile tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lamplighter.runfolder.shelf import Shelf
from lamplighter.runfolder.status import read_status
from tests.application import Application
from tests.browser.pages import wait_for
from tests.runs import small_text, wait_for_step, wait_until

pytestmark = pytest.mark.browser

LIT = "window.__lamplighter?.litPixels?.() > 0"
HOSTILE = [
    "<img/src=x/onerror=window.hit=1>",
    "<b>bold</b>",
    "<a/href=javascript:window.hit=1>",
    "\u202eright-to-left",
    "👩‍👩‍👧‍👦",
    "x" * 300,
    "%{hovertemplate}",
    "../../etc/passwd",
]


def test_a_persons_own_text_becomes_a_city(page: Page, application: Application, tmp_path: Path):
    words = small_text().split()
    for place, token in enumerate(HOSTILE * 8):
        words.insert(37 * place + 5, token)
    path = tmp_path / "my <i>own<i> text.txt"
    path.write_text(" ".join(words), encoding="utf-8")
    wait_for(page, LIT, 60)
    before = {run.id for run in Shelf(application.runs).runs()}
    page.get_by_test_id("tab-runs").click()
    page.get_by_test_id("new-run").click()
    page.get_by_test_id("new-corpus").select_option("text")
    page.get_by_test_id("new-file").set_input_files(path)
    page.get_by_test_id("new-steps").fill("100000")
    page.get_by_test_id("start").click()
    wait_until(lambda: len(Shelf(application.runs).runs()) > len(before), "a second run")
    (run,) = [run for run in Shelf(application.runs).runs() if run.id not in before]
    wait_for_step(run, 5)
    page.goto(f"{application.url}/?run={run.id}")
    wait_for(page, LIT, 60)
    wait_for(page, "__lamplighter.labels.length > 0", 60)
    page.keyboard.press("/")
    page.keyboard.type("img")
    expect(page.get_by_test_id("found").first).to_contain_text("img")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("token")).to_be_visible()
    assert page.evaluate(
        "window.hit === undefined && document.querySelectorAll('img[src=x], main b').length === 0"
    )
    application.ask(run, "stop")
    application.wait_until_over(run)


def test_a_wrong_value_is_explained_beside_its_field(page: Page, application: Application):
    wait_for(page, LIT, 60)
    before = len(Shelf(application.runs).runs())
    page.get_by_test_id("tab-runs").click()
    page.get_by_test_id("new-run").click()
    page.get_by_test_id("new-optimiser").select_option("lazy")
    page.get_by_test_id("new-tied").check()
    page.get_by_test_id("start").click()
    expect(page.get_by_role("alert").filter(has_text="use the optimiser adam or sgd")).to_be_visible()
    page.wait_for_timeout(500)
    assert len(Shelf(application.runs).runs()) == before


def test_a_server_killed_and_started_again_is_found_without_a_reload(page: Page, tmp_path: Path):
    with Application(tmp_path) as first:
        run = first.only_run()
        page.goto(first.launch_url)
        wait_for(page, LIT, 60)
        page.evaluate("window.sameDocument = true")
        at = read_status(run).step
        first.kill()
        expect(page.get_by_test_id("connection")).not_to_contain_text("live")
        # Training goes on without it.
        wait_for_step(run, at + 20)
        with Application(tmp_path, port=first.port) as second:
            expect(page.get_by_test_id("connection")).to_contain_text("live", timeout=30_000)
            now = read_status(run).step
            wait_for(page, f"__lamplighter.step > {now}", 40)
            assert page.evaluate("window.sameDocument")
            assert read_status(run).attempt == 1
            second.ask(run, "stop")
            second.wait_until_over(run)
