"""Accessibility of every screen: no axe violation, every control within reach, no text cut off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, StorageState, expect

from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_store import RunStore
from tests.browser.axe import find_violations
from tests.browser.map_page import write_maps
from tests.browser.pages import LAB_PANELS, OUTSIDE, PANELS, close_menu, open_panel, open_view, wait_for
from tests.support.application import Application
from tests.support.folders import FakeTrainer, V, make_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]

ROOT = Path(__file__).parents[2]
DRAWN = "window.__lamplighter?.shown && __lamplighter.beat"
SMALL = """(least) => [...document.querySelectorAll("button, a[href], input, select, summary, [role=slider]")]
    .filter((one) => one.checkVisibility() && !one.closest('p'))
    .map((one) => [one, (one.closest('label') ?? one).getBoundingClientRect()])
    .filter(([one, { width, height }]) => height < least - 0.5
        || (width < least - 0.5 && !one.matches('[data-testid=reading] > button')))
    .map(([one, { width, height }]) =>
        `${one.outerHTML.slice(0, 140)}: ${width.toFixed(1)} x ${height.toFixed(1)}`)"""
"""Links within a sentence may be as low as its line. The words of the reading line form a sentence of
buttons: each is only as wide as its text (WCAG 2.5.8 exempts targets in a sentence), but as high as any other
target.
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Start a server without runs; the tests add them."""
    with Application(tmp_path_factory.mktemp("runs"), "serve", "--no-workers") as started:
        yield started


@pytest.fixture(scope="module")
def screens(server: Application, chromium: Browser) -> Iterator[list[Page]]:
    """Open the presenter's page at projector size and at phone size."""
    contexts: list[BrowserContext] = []
    pages: list[Page] = []
    known: StorageState | None = None
    for width, height in ((1280, 720), (390, 844)):
        phone = width < 500
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            has_touch=phone,
            is_mobile=phone,
            storage_state=known,
        )
        contexts.append(context)
        pages.append(context.new_page())
        # The launch link works once, so the phone gets the projector's cookie.
        if known is None:
            pages[0].goto(server.launch_url)
            known = context.storage_state()
    yield pages
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def live(server: Application) -> Iterator[FakeTrainer]:
    """Train a run that stays in progress."""
    trainer = FakeTrainer(make_run(RunStore(server.runs))).begin().train(30)
    write_maps(trainer.run.layouts_path, V, (0, 10, 20), ("animals", "marks"), events=[("born", "Animals.")])
    yield trainer
    trainer.crash()


@pytest.fixture(scope="module")
def finished(server: Application) -> str:
    """Make a finished run. Returns its id."""
    return over(server, "finished")


def over(server: Application, phase: str) -> str:
    trainer = FakeTrainer(make_run(RunStore(server.runs))).begin().train(12)
    write_maps(trainer.run.layouts_path, V, (10,), ("animals", "marks"))
    trainer.end(phase)
    return trainer.run.id


def expect_accessible(page: Page, screen: str, within: str | None = None) -> None:
    """Check that the current screen has no barrier, no small target and no sideways scrolling."""
    assert find_violations(page, within) == [], screen
    touch = page.evaluate("matchMedia('(pointer: coarse)').matches")
    assert page.evaluate(SMALL, 44 if touch else 24) == [], f"targets on {screen}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), screen


def open_city(page: Page, server: Application, query: str) -> None:
    page.goto(f"{server.url}/?{query}")
    wait_for(page, DRAWN)


def holder(held: list[Route]) -> Callable[[Route], None]:
    return lambda route: held.append(route)


def test_without_a_run_and_on_a_form_with_an_error(screens: list[Page], server: Application):
    for page in screens:
        page.goto(server.url)
        expect(page.get_by_test_id("notice")).to_contain_text("No city yet")
        expect_accessible(page, "no run")
        page.get_by_test_id("notice").get_by_role("button").click()
        page.locator("summary", has_text="More options").click()
        page.get_by_test_id("new-optimiser").select_option("lazy")
        page.get_by_test_id("new-tied").check()
        page.get_by_test_id("start").click()
        expect(page.get_by_role("alert").filter(has_text="use the optimiser")).to_be_visible()
        expect_accessible(page, "a form with an error")


def test_while_loading_live_paused_and_in_replay(screens: list[Page], server: Application, live: FakeTrainer):
    for page in screens:
        held: list[Route] = []
        page.route("**/tokens?*", holder(held))
        page.goto(f"{server.url}/?run={live.run.id}")
        expect(page.get_by_test_id("notice")).to_contain_text("Loading the city")
        expect_accessible(page, "loading")
        held[0].continue_()
        page.unroute("**/tokens?*")
        wait_for(page, DRAWN)
        expect(page.get_by_test_id("phase")).to_have_text("training")
        expect_accessible(page, "live")
        page.keyboard.press(" ")
        expect(page.get_by_test_id("go-live")).to_be_visible()
        expect_accessible(page, "paused", "main")
        open_city(page, server, f"run={live.run.id}&from=3&speed=1")
        expect(page.get_by_test_id("connection")).to_contain_text("replay")
        expect_accessible(page, "replay", "main")


def test_problems_are_reported_with_their_consequences(screens: list[Page], server: Application):
    """The page explains each problem: no trainer yet, its trainer gone, a full disk, a superseded step."""
    unread = make_run(RunStore(server.runs), prepared=False)
    trainer = FakeTrainer(make_run(RunStore(server.runs))).begin().train(30)
    write_maps(trainer.run.layouts_path, V, (0, 10, 20), ("animals", "marks"))
    for page in screens:
        page.goto(f"{server.url}/?run={unread.id}")
        expect(page.get_by_test_id("notice")).to_contain_text("Starting…")
        expect_accessible(page, "waiting")
        page.goto(f"{server.url}/?run=2020-01-01-no-such-run")
        expect(page.get_by_test_id("notice")).to_contain_text("cannot be shown")
        expect(page.get_by_test_id("timeline")).to_have_count(0)
        expect_accessible(page, "not found")
        open_city(page, server, f"run={trainer.run.id}&at=25")
        expect(page.get_by_test_id("step")).to_have_text("25")

    def told(what: str, words: str) -> None:
        for page in screens:
            expect(page.get_by_test_id(what)).to_contain_text(words, timeout=15_000)
            expect_accessible(page, what)

    trainer.writer.set_facts({"snapshots": "paused"})
    told("full", "snapshots are paused")
    with RoleLock(trainer.run.path, "waiting"):
        told("crowded", "resumes by itself")
    trainer.writer.set_facts({"snapshots": "all"})
    trainer.start_attempt_after(20).train(3)
    told("superseded", "Training went back")
    trainer.train(5)
    for page in screens:
        expect(page.get_by_test_id("superseded")).to_have_count(0)
        expect(page.get_by_test_id("past-problem")).to_have_count(0)
    trainer.crash()
    told("gone", "it resumes from the last checkpoint")


def test_on_a_failed_run(screens: list[Page], server: Application):
    run = over(server, "failed")
    for page in screens:
        open_city(page, server, f"run={run}")
        expect(page.get_by_test_id("failure")).to_be_visible()
        expect_accessible(page, "failed", "main")


def test_a_finished_run_with_every_panel_and_the_list_of_shortcuts(
    screens: list[Page], server: Application, finished: str
):
    for page in screens:
        open_city(page, server, f"run={finished}")
        expect_accessible(page, "finished")
        open_view(page)
        expect_accessible(page, "the menu of the view")
        close_menu(page)
        for panel in LAB_PANELS:
            open_panel(page, panel)
            expect(page.get_by_test_id(f"tab-{panel}")).to_have_attribute("aria-selected", "true")
            page.wait_for_timeout(120)
            expect_accessible(page, panel, "[data-testid=inspector]")
        expect_accessible(page, "the lab")
        for panel in [one for one in PANELS if one not in LAB_PANELS]:
            open_city(page, server, f"run={finished}&panel={panel}&token=3&tokens=4,5")
            # These cover the page instead of opening beside the map.
            place = {"microscope": "microscope", "claims": "claims-panel", "seeds": "set-panel"}.get(
                panel, "inspector"
            )
            expect(page.get_by_test_id(place)).to_be_visible()
            page.wait_for_timeout(300)
            expect_accessible(page, panel)
        # They cover the button of the list.
        open_city(page, server, f"run={finished}")
        opener = page.get_by_test_id("page-menu")
        dialog = page.get_by_test_id("shortcuts")
        opener.click()
        page.get_by_test_id("open-shortcuts").focus()
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        expect_accessible(page, "shortcuts", "dialog")
        inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        for _ in range(6):
            page.keyboard.press("Tab")
            # After the last button the focus moves to the browser's own bar, never to the page behind.
            assert page.evaluate(inside)
        page.keyboard.press("Escape")
        expect(opener).to_be_focused()
        expect(dialog).to_have_count(0)


def test_single_keys_can_be_turned_off(screens: list[Page], server: Application, finished: str):
    page = screens[0]
    open_city(page, server, f"run={finished}")
    dialog = page.get_by_test_id("shortcuts")
    page.keyboard.press("?")
    page.get_by_test_id("comfort-letters").set_checked(False)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.reload()
    wait_for(page, DRAWN)
    page.keyboard.press("?")
    page.wait_for_timeout(200)
    expect(dialog).to_have_count(0)
    page.get_by_test_id("page-menu").click()
    page.get_by_test_id("open-shortcuts").click()
    page.get_by_test_id("comfort-letters").set_checked(True)
    # The key that opens the list also closes it.
    page.keyboard.press("?")
    expect(dialog).to_have_count(0)
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")


FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const { left, top, width, height } = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    // Of something long, what is at its beginning counts.
    const hit = document.elementFromPoint(left + Math.min(width / 2, 40), top + Math.min(height / 2, 12));
    return {
        what: one.outerHTML.slice(0, 120),
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        seen: hit !== null && (one.contains(hit) || hit.contains(one) || one.labels?.[0]?.contains(hit)),
    };
}"""


def test_the_focus_reaches_everything_and_is_always_visible(
    screens: list[Page], server: Application, finished: str
):
    for page in screens:
        open_city(page, server, f"run={finished}&panel=map")
        reached: set[str] = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.evaluate(FOCUSED)
            if focused is None:
                break
            # Only the header and the lines that are read come before the time keys.
            if "resume-replay" in focused["what"] or "replay-from-start" in focused["what"]:
                assert len(reached) < 9, reached
            assert focused["outlined"], focused["what"]
            assert focused["seen"], f"hidden: {focused['what']}"
            reached.add(focused["what"])
        assert any("page-menu" in one for one in reached)
        assert any("tab-map" in one for one in reached)


SPACED = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
        word-spacing: 0.16em !important } p { margin-bottom: 2em !important }`);
    document.adoptedStyleSheets = [sheet];
}"""
CUT = """() => [...document.querySelectorAll('button, label, h2, h3, dd, dt, p, summary, th, td')]
    .filter((one) => one.checkVisibility() && !one.closest('.unseen') && getComputedStyle(one).overflowX !== 'visible'
        && getComputedStyle(one).textOverflow !== 'ellipsis' && one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.outerHTML.slice(0, 160))"""


@pytest.mark.parametrize(("width", "height"), [(320, 640), (640, 360)])
def test_enlarged_and_spaced_text_is_not_cut_off(
    chromium: Browser, server: Application, finished: str, width: int, height: int
):
    """A window 320 wide stands for 1280 at 400 %, and 640 by 360 for 1280 by 720 at 200 %."""
    context = chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page = context.new_page()
    open_city(page, server, f"run={finished}&panel=step")
    page.evaluate(SPACED)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(CUT) == []
    # In a window of any height, the inspector ends where the bottom bar begins.
    ends = page.evaluate("document.querySelector('#panel').getBoundingClientRect().bottom")
    assert ends <= page.evaluate("document.querySelector('.transport').getBoundingClientRect().top") + 1
    assert page.evaluate(OUTSIDE) == []
    context.close()


def test_a_description_puts_the_map_into_words(screens: list[Page], server: Application, live: FakeTrainer):
    page = screens[0]
    open_city(page, server, f"run={live.run.id}")
    expect(page.get_by_test_id("map-in-words")).to_contain_text(f"{V} words, each a light")
    expect(page.get_by_test_id("map-in-words")).to_contain_text("2 neighbourhoods; the largest: ")
    told = page.get_by_test_id("summary")
    expect(told).to_contain_text("Step 30, surprise 2.50.", timeout=8_000)
    expect(told).to_contain_text(f"of {V} words, most often from")
    live.writer.set_facts({"phase": "paused"})
    expect(told).to_contain_text("The run: training paused.", timeout=8_000)
    live.writer.set_facts({"phase": "running"})
    expect(page.get_by_test_id("timeline").locator(".chart")).to_have_attribute(
        "aria-label", re.compile(r"2\.5 at step 1, 2\.5 at step 30")
    )
