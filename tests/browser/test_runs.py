"""Runs in the browser: a new one from a person's own text, a server that dies, hostile tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.vocabulary import Vocabulary
from tests.browser.fixtures import PACE, training
from tests.browser.pages import open_panel, wait_for
from tests.support.application import Application
from tests.support.runs import small_recipe, small_text, wait_for_step
from tests.support.waiting import wait_until

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


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Start an application for this file alone, to which it adds runs."""
    with training(tmp_path_factory.mktemp("runs")) as started:
        yield started


@pytest.mark.tour
def test_a_persons_own_text_becomes_a_map(page: Page, application: Application, tmp_path: Path):
    path = tmp_path / "my <i>own<i> text.txt"
    path.write_text(small_text(), encoding="utf-8")
    wait_for(page, LIT, 60)
    before = {run.id for run in RunStore(application.runs).runs()}
    open_panel(page, "runs")
    page.get_by_test_id("new-run").press("Enter")
    # The button has gone; the focus moves to the panel that held it.
    wait_for(page, "document.activeElement?.closest('[data-testid=inspector]')")
    page.locator("input[name=corpus][value=text]").check()
    page.get_by_test_id("start").click()
    expect(page.get_by_role("alert")).to_have_text("Paste a text or choose a file first.")
    page.get_by_test_id("new-text").fill("only a few words")
    # Stated once, beside the button, before it is pressed and afterwards.
    expect(page.get_by_role("alert")).to_contain_text("This text has 4 words. 1,000 are needed")
    page.get_by_test_id("start").click()
    expect(page.get_by_text("1,000 are needed")).to_have_count(1)
    assert {run.id for run in RunStore(application.runs).runs()} == before, "a refused text makes no run"
    page.get_by_test_id("new-file").set_input_files(path)
    expect(page.get_by_test_id("text-facts")).to_contain_text("learn it by heart")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.locator("summary", has_text="More options").click()
    page.get_by_test_id("new-steps").fill("100000")
    page.get_by_test_id("start").click()
    wait_until(lambda: len(RunStore(application.runs).runs()) > len(before), "a second run")
    (run,) = [run for run in RunStore(application.runs).runs() if run.id not in before]
    wait_for(page, f"location.search.includes('{run.id}')")
    wait_for(page, LIT, 60)
    assert run.recipe.corpus.name == path.name
    application.ask(run, "stop")
    application.wait_until_over(run)


@pytest.mark.tour
def test_hostile_tokens_are_text_everywhere(page: Page, application: Application):
    run = RunStore(application.runs).create(small_recipe(steps=100_000))
    tokens = tuple(HOSTILE + [f"word{i}" for i in range(60)])
    ids = np.random.default_rng(0).integers(0, len(tokens), 3_000).astype(np.uint32)
    vocabulary = Vocabulary(tokens, np.bincount(ids, minlength=len(tokens)), {HOSTILE[1]: tuple(range(20))})
    application.ask(run, "pace", steps_per_second=PACE)
    run.write_corpus(ids, vocabulary, "{}")
    wait_for_step(run, 5, 60)
    page.goto(f"{application.url}/?run={run.id}")
    wait_for(page, LIT, 60)
    wait_for(page, "__lamplighter.labels.length > 0", 60)
    application.ask(run, "stop")
    application.wait_until_over(run)
    for token_id, token in enumerate(HOSTILE):
        # Like Back and Forward do: a reload for each token would take a minute.
        page.evaluate(
            "(query) => { history.pushState(null, '', query); dispatchEvent(new PopStateEvent('popstate')); }",
            f"?run={run.id}&token={token_id}",
        )
        expect(page.get_by_test_id("token")).to_be_visible()
        if token.isprintable() and len(token) < 60:
            expect(page.get_by_test_id("token")).to_contain_text(token)
        x, y = page.evaluate(f"__lamplighter.pixelOf({token_id})")
        page.get_by_test_id("city").hover(position={"x": x, "y": y}, force=True)
        page.wait_for_timeout(100)
    assert page.evaluate("window.hit === undefined")
    made = """[...document.querySelectorAll('main img, main b, main tspan, a')]
        .filter(e => e.matches('img[src=x], a[href^=javascript]') || (e.textContent === 'bold' && e.matches('b, tspan')))
        .length"""
    assert page.evaluate(made) == 0


@pytest.mark.tour
def test_an_invalid_value_is_explained_beside_its_field(page: Page, application: Application):
    wait_for(page, LIT, 60)
    before = len(RunStore(application.runs).runs())
    open_panel(page, "runs")
    page.get_by_test_id("new-run").click()
    page.locator("summary", has_text="More options").click()
    page.get_by_test_id("new-optimiser").select_option("lazy")
    page.get_by_test_id("new-tied").check()
    page.get_by_test_id("start").click()
    expect(page.get_by_role("alert").filter(has_text="use the optimiser adam or sgd")).to_be_visible()
    page.wait_for_timeout(500)
    assert len(RunStore(application.runs).runs()) == before


@pytest.mark.tour
def test_a_killed_and_restarted_server_is_found_without_a_reload(page: Page, tmp_path: Path):
    with training(tmp_path) as first:
        run = first.only_run()
        page.goto(first.launch_url)
        wait_for(page, LIT, 60)
        page.evaluate("window.sameDocument = true")
        at = read_status(run).step
        first.kill()
        expect(page.get_by_test_id("connection")).not_to_contain_text("live")
        # Training continues without the server.
        wait_for_step(run, at + 20)
        with Application(tmp_path, port=first.port) as second:
            expect(page.get_by_test_id("connection")).to_contain_text("live", timeout=30_000)
            now = read_status(run).step
            wait_for(page, f"__lamplighter.step > {now}", 40)
            assert page.evaluate("window.sameDocument")
            assert read_status(run).attempt == 1
            second.ask(run, "stop")
            second.wait_until_over(run)


@pytest.mark.tour
def test_the_size_of_a_run_is_shown_before_and_while_it_runs(page: Page, application: Application):
    wait_for(page, LIT, 60)
    open_panel(page, "run")
    size = page.get_by_test_id("inspector").locator("dl > div", has_text="on disk")
    expect(size).to_contain_text("MB")
    open_panel(page, "runs")
    page.get_by_test_id("new-run").click()
    page.locator("summary", has_text="More options").click()
    estimate = page.get_by_test_id("estimate")
    expect(estimate).to_contain_text(re.compile(r"About [23]\d\d MB on disk"))
    expect(estimate).to_contain_text(re.compile(r"moved rows 1\d\d MB"))
    page.get_by_test_id("new-steps").fill("50000")
    expect(estimate).to_contain_text(re.compile(r"take about [12]\.\d GB"))
    expect(estimate).to_contain_text("the run saves fewer")
    page.get_by_test_id("new-budget").fill("4000")
    expect(estimate).to_contain_text(re.compile(r"About [12]\.\d GB"))
    page.get_by_test_id("new-optimiser").select_option("adam")
    page.get_by_test_id("new-keyframes").fill("500")
    expect(estimate).to_contain_text("every 500 steps")
    page.get_by_test_id("new-dim").fill("63")
    expect(estimate).to_have_count(0)
