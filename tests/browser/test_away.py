"""Viewers who look away: a frozen tab, a long network failure, and one viewer's paused picture."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_store import RunStore
from tests.browser.fixtures import FinishedRun
from tests.browser.map_page import write_maps
from tests.browser.pages import choose_entry, cut_connection, remember_sockets, wait_for
from tests.support.application import Application
from tests.support.folders import FakeTrainer, V, make_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]

DESKTOP: ViewportSize = {"width": 1280, "height": 720}
MISSED = 900
MARK = """() => {
    window.sameDocument = true;
    window.slept = 0;
    let last = performance.now();
    setInterval(() => {
        const now = performance.now();
        window.slept = Math.max(window.slept, now - last);
        last = now;
    }, 50);
    window.before = { ...__lamplighter.received.frames };
    window.last = __lamplighter.paintings.at(-1);
}"""
"""Marks the document, which a reload would clear, and measures the longest time without a tick, in ms."""
LIT_SINCE = (
    "__lamplighter.paintings.slice(__lamplighter.paintings.indexOf(window.last) + 1).map(({ step }) => step)"
)


@pytest.fixture(scope="module")
def server(finished_run: FinishedRun) -> Application:
    return finished_run.server


@pytest.fixture
def trainer(server: Application) -> Iterator[FakeTrainer]:
    made = FakeTrainer(make_run(RunStore(server.runs), steps=5_000)).begin().train(30)
    write_maps(made.run.layouts_path, V, (0, 10, 20, 30), ("animals", "marks"))
    yield made
    made.crash()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce")
    yield made
    made.close()


def looks_at(context: BrowserContext, server: Application, trainer: FakeTrainer) -> Page:
    page = context.new_page()
    page.goto(f"{server.url}/?run={trainer.run.id}&folded=1")
    wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat?.step === 30")
    # The page also shows live steps, not only recorded ones.
    trainer.train(1)
    wait_for(page, "__lamplighter.beat?.step === 31 && __lamplighter.step === 31")
    return page


def has_caught_up(page: Page, server: Application, trainer: FakeTrainer, step: int) -> None:
    """Check that the page did not reload, lights the newest step, and counted and drew every missed one."""
    wait_for(page, f"__lamplighter.beat?.step === {step} && __lamplighter.step === {step}", 15)
    # It is painted in a later frame, and a busy machine draws few frames.
    wait_for(page, f"__lamplighter.paintings.at(-1)?.step === {step}", 15)
    steps = server.get(f"/api/runs/{trainer.run.id}/steps?from=1&most=2000")["items"]
    ever = steps[-1]["ever_rows"]
    expect(page.get_by_test_id("scrubber")).to_have_attribute(
        "aria-valuetext", re.compile(rf"step {step} · .* · {ever} of {V} words read so far")
    )
    assert page.evaluate("window.sameDocument")


@contextmanager
def frozen(chromium: Browser) -> Generator[None]:
    """Stop the browser's page processes, as when a laptop sleeps."""
    processes = chromium.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in processes if process["type"] == "renderer"]
    for page in pages:
        os.kill(page, signal.SIGSTOP)
    try:
        yield
    finally:
        for page in pages:
            os.kill(page, signal.SIGCONT)


def test_a_frozen_tab_catches_up_without_a_reload_or_a_replay(
    server: Application, trainer: FakeTrainer, context: BrowserContext, chromium: Browser
) -> None:
    page = looks_at(context, server, trainer)
    page.evaluate(MARK)
    with frozen(chromium):
        trainer.train(MISSED)
        time.sleep(2)
    # The tab really slept.
    wait_for(page, "window.slept > 1_900", 15)
    has_caught_up(page, server, trainer, 31 + MISSED)
    # Only a few of the hundreds of steps were lit: the first to arrive, and the last.
    lit = page.evaluate(LIT_SINCE)
    assert lit[-1] == 31 + MISSED
    assert len(lit) <= 4
    # Then the page continues live.
    trainer.train(1)
    wait_for(page, f"__lamplighter.beat?.step === {32 + MISSED}")


def test_after_a_long_network_failure_only_the_newest_step_plays(
    server: Application, trainer: FakeTrainer, context: BrowserContext
) -> None:
    remember_sockets(context)
    page = looks_at(context, server, trainer)
    page.evaluate(MARK)
    cut_connection(page)
    trainer.train(MISSED)
    context.set_offline(False)
    has_caught_up(page, server, trainer, 31 + MISSED)
    came = page.evaluate("__lamplighter.received.frames.beat - window.before.beat")
    assert came <= 5
    assert page.evaluate(LIT_SINCE)[-1] == 31 + MISSED


def test_viewers_pause_only_their_own_picture(
    server: Application, trainer: FakeTrainer, context: BrowserContext, chromium: Browser
) -> None:
    other = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce")
    try:
        mine, theirs = looks_at(context, server, trainer), other.new_page()
        theirs.goto(f"{server.url}/?run={trainer.run.id}&folded=1")
        wait_for(theirs, "window.__lamplighter?.shown && __lamplighter.beat?.step === 31")
        # One viewer pauses by key, the other by the button.
        mine.keyboard.press("Space")
        expect(mine.get_by_test_id("connection")).to_have_text("view paused")
        expect(mine.get_by_test_id("phase")).to_have_text("training continues")
        expect(mine.get_by_test_id("step")).to_have_text("31")
        trainer.train(5)
        wait_for(theirs, "__lamplighter.beat?.step === 36 && __lamplighter.step === 36")
        expect(theirs.get_by_test_id("connection")).to_have_text("live")
        assert mine.evaluate("__lamplighter.beat?.step") == 31
        theirs.get_by_test_id("pause-picture").click()
        expect(theirs.get_by_test_id("connection")).to_have_text("view paused")
        expect(theirs.get_by_test_id("step")).to_have_text("36")
        trainer.train(5)
        # Neither pause affects the training.
        assert read_status(trainer.run).step == 41
        assert read_status(trainer.run).phase == "running"
        choose_entry(mine, "goLive")
        wait_for(mine, "__lamplighter.beat?.step === 41 && __lamplighter.step === 41")
        assert theirs.evaluate("__lamplighter.beat?.step") == 36
        theirs.get_by_test_id("go-live").click()
        wait_for(theirs, "__lamplighter.beat?.step === 41 && __lamplighter.step === 41")
    finally:
        other.close()
