"""The first visit to a run: the introduction, which follows events, and the card at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from lamplighter.runfolder.reading.run_status import read_status
from tests.browser.axe import find_violations
from tests.browser.first_visit import PREFERENCES, first_visit
from tests.browser.fixtures import DESKTOP, LAST, FinishedRun
from tests.browser.pages import choose_entry, wait_for
from tests.support.application import Application
from tests.support.folders import V
from tests.support.waiting import wait_until

PHONES = [{"width": 390, "height": 844}, {"width": 844, "height": 390}, {"width": 320, "height": 320}]
COVERED = """() => {
    const card = document.querySelector("[data-testid=introduction], [data-testid=run-end]");
    const { left, right, top, bottom } = card.getBoundingClientRect();
    return [...document.querySelectorAll("[data-testid=timeline], button, select, input")]
        .filter((one) => !card.contains(one) && one.checkVisibility())
        .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
        .filter(([, it]) => it.width && it.left < right && it.right > left && it.top < bottom && it.bottom > top)
        .map(([html]) => html);
}"""
"""Controls under the card."""
MAP_SHARE = """() => {
    const edge = (area) => document.querySelector(`main > .${area}`).getBoundingClientRect();
    return (edge('bottom').top - edge('top').bottom) / innerHeight;
}"""
"""The map's share of the window's height."""
DIMMED = """(count) => {
    const covers = [...document.querySelectorAll('[data-testid=introduction], .key')].map((one) => one.getBoundingClientRect());
    const { left, top } = document.querySelector('.city').getBoundingClientRect();
    return [...Array(count).keys()].map((id) => __lamplighter.pixelOf(id))
        .filter(([x, y]) => covers.some((one) => one.left < left + x && left + x < one.right
            && one.top < top + y && top + y < one.bottom)).length / count;
}"""
"""The share of the lights under the card or the colours' names."""


@pytest.fixture
def newcomer(chromium: Browser) -> Iterator[Page]:
    context = first_visit(chromium, viewport=DESKTOP)
    yield context.new_page()
    context.close()


@pytest.mark.tour
def test_a_newcomer_to_a_finished_run_is_told_what_it_is_and_how_it_ended(
    finished_run: FinishedRun, newcomer: Page
):
    page = newcomer
    page.goto(finished_run.url_with(""))
    line = page.get_by_test_id("introduction-line")
    expect(line).to_have_text(
        f"Every light is a word. This language model has read for {LAST} steps.", timeout=20_000
    )
    assert line.get_attribute("aria-live") == "polite"
    card = page.get_by_test_id("introduction")
    for size in PHONES:
        page.set_viewport_size(size)  # pyright: ignore[reportArgumentType]
        expect(card).to_be_in_viewport(ratio=1)
        assert not page.evaluate(COVERED), size
    page.set_viewport_size(DESKTOP)

    # A replay is explained from its first map on.
    page.get_by_test_id("watch-from-start").click()
    expect(line).to_have_text("It knows nothing yet: the words are scattered at random.")
    wait_for(page, "__lamplighter.step === 0")
    # Esc skips it, and does nothing else.
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    wait_for(page, "new URLSearchParams(location.search).get('at') === '0'")

    # The end of the run is announced once.
    page.get_by_test_id("go-live").click()
    end = page.get_by_test_id("run-end")
    expect(end).to_contain_text(f"{LAST} steps")
    assert not find_violations(page, "main")
    assert not page.evaluate(COVERED)
    page.get_by_test_id("dismiss-end").click()
    page.reload()
    wait_for(page, f"window.__lamplighter?.beat?.step === {LAST}")
    page.wait_for_timeout(500)
    expect(end).to_be_hidden()
    expect(card).to_have_count(0)

    # It can be requested again.
    page.keyboard.press("?")
    page.get_by_test_id("introduce-again").click()
    expect(line).to_contain_text("Every light is a word.")
    # This takes as long as some lines stay; every line can be skipped.
    assert not find_violations(page, "main")
    # Its last line offers the course.
    page.locator("[data-testid=introduction] .line").click()
    expect(page.get_by_test_id("try-word").first).to_be_visible(timeout=20_000)
    page.get_by_test_id("introduction-course").click()
    expect(page.get_by_test_id("course")).to_be_visible(timeout=20_000)
    expect(card).to_have_count(0)


def test_the_first_visit_leaves_the_map_two_thirds_of_a_projector(
    finished_run: FinishedRun, chromium: Browser, presenting: StorageState
):
    context = first_visit(chromium, viewport=DESKTOP, storage_state=presenting)
    page = context.new_page()
    # The presenter's session is that of a returning visitor.
    page.goto(f"{finished_run.server.url}/api/session")
    page.evaluate("(name) => localStorage.removeItem(name)", PREFERENCES)
    page.goto(finished_run.url_with(""))
    for part in ("introduction", "legend-fold", "reading"):
        expect(page.get_by_test_id(part)).to_be_visible(timeout=20_000)
    assert page.evaluate(MAP_SHARE) >= 0.65
    assert page.evaluate(DIMMED, V) < 0.02
    context.close()


@pytest.mark.tour
def test_then_and_now_opens_the_second_map_with_the_first_layout(finished_run: FinishedRun, newcomer: Page):
    page = newcomer
    page.goto(finished_run.url_with(""))
    page.get_by_test_id("skip-introduction").click()
    page.get_by_test_id("then-and-now").click()
    expect(page.get_by_test_id("beside-step")).to_have_value("0")
    expect(page.get_by_test_id("run-end")).to_be_hidden()


@pytest.mark.tour
def test_a_run_that_ends_while_watched_is_announced(application: Application, newcomer: Page):
    page = newcomer
    run = application.start_run({"steps": 60})
    wait_until(lambda: read_status(run).step > 0, "the run to begin", timeout=60)
    page.goto(f"{application.url}/?run={run.id}")
    page.get_by_test_id("skip-introduction").click(timeout=30_000)
    # It is told even while another step is looked at, with a panel open.
    page.get_by_test_id("pause-picture").click()
    choose_entry(page, "ask")
    application.wait_until_over(run)
    expect(page.get_by_test_id("run-end-line")).to_contain_text("60 steps", timeout=20_000)
    # Other files expect a single run here.
    application.change("DELETE", f"/api/runs/{run.id}")
