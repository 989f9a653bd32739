"""Everything within reach: controls inside windows of every size, the tab order through the page,
scrolling.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, ViewportSize, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.axe import find_violations
from tests.browser.fixtures import DESKTOP, FinishedRun, expect_step, sound_page
from tests.browser.map_page import write_maps
from tests.browser.pages import choose_entry, close_menu, open_panel, open_view, wait_for, wait_for_frame
from tests.support.folders import FakeTrainer, V, make_run

pytestmark = pytest.mark.browser

DRAWN = "window.__lamplighter?.shown && __lamplighter.beat"
SIZES = [(320, 320), (1280, 720)]
"""The smallest window, and a projector."""
FURTHER_SIZES = [
    (640, 360),
    (844, 390),
    (853, 480),
    (1093, 500),
    (320, 561),
    (390, 844),
    (512, 384),
    (932, 430),
    (1024, 561),
    (1366, 625),
    (3840, 2160),
]
PHONES = [(320, 320), (667, 375), (844, 390)]
UNREACHED = """(within) => [...document.querySelectorAll(within)]
    .filter((one) => one.checkVisibility())
    .filter((one) => {
        const { left, top, right, bottom } = one.getBoundingClientRect();
        const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        const inside = left > -1 && top > -1 && right < innerWidth + 1 && bottom < innerHeight + 1;
        return !(inside && hit && one.contains(hit));
    })
    .map((one) => one.outerHTML.slice(0, 120))"""
"""Controls outside the window, or beneath something else."""
UNCOVERED = """(of) => {
    const one = document.querySelector(of);
    const { left, top, width, height } = one.getBoundingClientRect();
    const shares = [0.02, 0.25, 0.5, 0.75, 0.98];
    return shares.flatMap((x) => shares.map((y) => [left + x * width, top + y * height]))
        .filter(([x, y]) => x > innerWidth || y > innerHeight || !one.contains(document.elementFromPoint(x, y)));
}"""
"""Points of an element at which something else is hit."""
SMALL = """([within, least]) => [...document.querySelectorAll(within)]
    .filter((one) => one.checkVisibility())
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width < least - 0.5 || height < least - 0.5)
    .map(([one, { width, height }]) => `${one.outerHTML.slice(0, 120)}: ${width} x ${height}`)"""
CONTROLS = """header :is(button, input), .bottom > .foot > .key, .rail button,
    .transport :is(button, select, [role=slider])"""


@pytest.fixture(scope="module")
def page(chromium: Browser, presenting: StorageState) -> Iterator[Page]:
    with sound_page(chromium, storage_state=presenting) as opened:
        yield opened


def open_page(page: Page, finished: FinishedRun, query: str, size: ViewportSize = DESKTOP) -> None:
    page.set_viewport_size(size)
    page.goto(finished.url_with(query))
    wait_for(page, DRAWN)


def expect_reached(page: Page, within: str, where: str) -> None:
    """Check that all controls within are inside the window and in front, once the page has settled."""
    unreached: list[str] = []
    for _ in range(40):
        if not (unreached := page.evaluate(UNREACHED, within)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"out of reach at {where}: {unreached}")


@pytest.mark.parametrize(
    ("sizes", "finger"),
    [
        pytest.param(SIZES, False, id="mouse"),
        pytest.param(PHONES, True, id="finger", marks=pytest.mark.tour),
        pytest.param(FURTHER_SIZES, False, id="further", marks=pytest.mark.tour),
        pytest.param(FURTHER_SIZES[:-1], True, id="further-finger", marks=pytest.mark.tour),
    ],
)
def test_play_timeline_and_map_are_inside_every_window(
    finished_run: FinishedRun,
    chromium: Browser,
    presenting: StorageState,
    sizes: list[tuple[int, int]],
    finger: bool,
) -> None:
    context = chromium.new_context(
        reduced_motion="reduce", has_touch=finger, is_mobile=finger, storage_state=presenting
    )
    page = context.new_page()
    # The past of a run whose training the presenter has paused: the largest number of time controls.
    trainer = FakeTrainer(make_run(RunStore(finished_run.server.runs), steps=400)).begin().train(60)
    write_maps(trainer.run.layouts_path, V, range(0, 61, 10), ("animals", "marks"))
    trainer.writer.set_facts({"phase": "paused"})
    page.goto(f"{finished_run.server.url}/?run={trainer.run.id}&at=40")
    wait_for(page, DRAWN)
    try:
        for large, (width, height) in itertools.product((False, True), sizes):
            where = f"{width}x{height}{' enlarged' if large else ''}"
            page.set_viewport_size({"width": width, "height": height})
            if page.evaluate("document.documentElement.hasAttribute('data-enlarged')") != large:
                choose_entry(page, "toggleEnlarged")
            expect_reached(page, CONTROLS, where)
            assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight"), where
            if not large:
                assert page.evaluate("document.querySelector('.middle').clientHeight") >= 80, where
            for name in ("resume-replay", "go-live", "training-menu"):
                expect(page.get_by_test_id(name)).to_be_visible()
            # The smallest windows leave these to the timeline and to keys.
            tiny = width <= 560 and height <= (700 if large else 380)
            for name in ("step-back", "step-forward", "speed"):
                expect(page.get_by_test_id(name)).to_be_visible(visible=not tiny)
            track = page.get_by_test_id("scrubber").bounding_box()
            assert track, where
            assert track["width"] >= 95, where
            assert track["height"] >= 44, where
            assert page.evaluate(SMALL, [".transport :is(button, select)", 44 if finger else 24]) == [], where
            # The smallest windows leave the status to the button that leads back to live.
            if not (width <= 500 and height <= 560):
                expect(page.get_by_test_id("connection"), where).to_be_in_viewport()
            # Nothing covers the timeline or sticks out of the window beside it.
            assert page.evaluate(UNCOVERED, "[data-testid=scrubber]") == [], where
            # What the search finds lies over the text and the time: its last line can be chosen too.
            page.keyboard.press("Control+k")
            page.locator("#search-list li").last.hover(timeout=10_000)
            page.keyboard.press("Escape")
            open_view(page)
            # Each can be scrolled into view inside the menu.
            for control in page.locator(":popover-open").locator("button, select, input").all():
                control.scroll_into_view_if_needed()
                expect(control).to_be_in_viewport(ratio=0.99)
            close_menu(page)
    finally:
        trainer.end("interrupted")
        context.close()


@pytest.mark.tour
def test_in_a_low_window_the_inspector_is_beside_the_map(page: Page, finished_run: FinishedRun) -> None:
    for width, height in ((640, 360), (844, 390), (320, 320)):
        open_page(page, finished_run, "panel=token&token=3", {"width": width, "height": height})
        close = page.get_by_test_id("inspector").get_by_test_id("close-panel")
        expect_reached(page, "[data-testid=inspector] > .top button, .transport button", f"{width}")
        left, bottom = page.evaluate(
            "(({ left, bottom }) => [left, bottom])(document.querySelector('.side').getBoundingClientRect())"
        )
        assert bottom <= page.evaluate("document.querySelector('.transport').getBoundingClientRect().top") + 1
        assert left >= 0.5 * width or width < 560
        close.click()
        expect_reached(page, CONTROLS, f"{width}")


TOP = "document.querySelector('#panel').scrollTop"


def scroll_down(page: Page) -> None:
    """Scroll the inspector to its end, which must lie below its top."""
    wait_for(page, f"document.querySelector('#panel').scrollTo(0, 9e9) ?? {TOP} > 20")


@pytest.mark.tour
def test_the_inspector_starts_at_the_top_of_new_content(page: Page, finished_run: FinishedRun) -> None:
    open_page(page, finished_run, "panel=token&token=3&at=40")
    neighbour = page.locator("#panel [data-testid=neighbours] button").first
    expect(neighbour).to_be_visible()
    scroll_down(page)
    neighbour.click()
    wait_for(page, f"!location.search.includes('word=dogs') && {TOP} === 0")
    scroll_down(page)
    page.go_back()
    wait_for(page, f"location.search.includes('word=dogs') && {TOP} === 0")
    scroll_down(page)
    open_panel(page, "step")
    expect(page.get_by_test_id("batch")).to_be_visible()
    assert page.evaluate(TOP) == 0
    # The same panel at another step is not new content.
    page.evaluate("document.querySelector('#panel').scrollTo(0, 40)")
    page.get_by_test_id("step-back").click()
    expect_step(page, finished_run, 39)
    assert page.evaluate(TOP) == 40
    page.set_viewport_size({"width": 1280, "height": 400})
    for name in ("Animals", "Marks"):
        open_panel(page, "map")
        districts = page.get_by_test_id("districts").get_by_role("button")
        expect(districts).to_have_count(2)
        district = districts.filter(has_text=name)
        district.focus()
        scroll_down(page)
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("district-name")).to_have_text(name)
        wait_for(page, f"{TOP} === 0")
        # Its card is long enough to scroll.
        scroll_down(page)


def test_the_words_of_a_batch_are_one_tab_stop_with_arrow_keys_inside(
    page: Page, finished_run: FinishedRun
) -> None:
    open_page(page, finished_run, "panel=step&at=40")
    batch = page.get_by_test_id("batch")
    words = batch.get_by_role("button")
    expect(batch.locator("[tabindex='0']")).to_have_count(1)
    count = words.count()
    assert count > 4
    reached = "[...document.querySelectorAll('[data-testid=batch] button')].indexOf(document.activeElement)"
    words.first.focus()
    for key, place in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", count - 1),
        ("ArrowRight", count - 1),
        ("Home", 0),
        ("ArrowRight", 1),
    ):
        page.keyboard.press(key)
        assert page.evaluate(reached) == place, key
    # The keys of the text must not also act as time keys.
    expect(page.get_by_test_id("step")).to_have_text("40")
    page.keyboard.press("Tab")
    assert page.evaluate(reached) == -1
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(reached) == 1, "the text is entered where it was left"
    assert find_violations(page, "[data-testid=inspector]") == []
    words.nth(3).focus()
    word = words.nth(3).text_content()
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2").last).to_contain_text(str(word))


INSIDE = """() => {
    const panel = document.querySelector('#panel');
    const { left, right } = panel.getBoundingClientRect();
    return [...panel.querySelectorAll('form, form *')]
        .filter((one) => one.checkVisibility())
        .filter((one) => {
            const box = one.getBoundingClientRect();
            return box.width && (box.left < left + 4 || box.right > right - 4);
        })
        .map((one) => one.outerHTML.slice(0, 120));
}"""


@pytest.mark.tour
def test_the_form_for_a_new_run_stays_inside_its_panel(page: Page, finished_run: FinishedRun) -> None:
    open_page(page, finished_run, "panel=runs")
    page.get_by_test_id("new-run").click()
    page.get_by_label("Your own text").first.check()
    page.locator("summary", has_text="More options").click()
    expect(page.get_by_test_id("new-file")).to_be_visible()
    back = page.get_by_role("button", name="Back to the list")
    for width, height in ((1280, 720), (390, 844), (320, 640)):
        page.set_viewport_size({"width": width, "height": height})
        wait_for_frame(page)
        assert page.evaluate(INSIDE) == [], f"{width}x{height}"
        assert page.evaluate("(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(panel)"), width
        border = back.evaluate("(one) => getComputedStyle(one).borderTopColor")
        assert border == page.get_by_test_id("new-optimiser").evaluate(
            "(one) => getComputedStyle(one).borderTopColor"
        )
        # At any length of the form, its button is visible.
        panel = page.locator("#panel")
        for end in (0, 10_000) if (width, height) != (320, 640) else ():
            panel.evaluate("(one, end) => (one.scrollTop = end)", end)
            expect(page.get_by_test_id("start")).to_be_in_viewport(ratio=1)
        for control in (back, page.get_by_test_id("start")):
            control.scroll_into_view_if_needed()
            expect(control).to_be_in_viewport(ratio=1)


@pytest.mark.tour
def test_viewers_are_told_of_a_new_run_and_may_open_it(
    finished_run: FinishedRun, chromium: Browser, presenting: StorageState
) -> None:
    viewer = chromium.new_page(viewport={"width": 844, "height": 390}, reduced_motion="reduce")
    viewer.goto(finished_run.url_with("folded=1"))
    wait_for(viewer, DRAWN)
    context = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce", storage_state=presenting)
    presenter = context.new_page()
    open_page(presenter, finished_run, "panel=runs")
    presenter.get_by_test_id("new-run").click()
    presenter.get_by_test_id("start").click()
    wait_for(presenter, f"!location.search.includes('{finished_run.run}')")
    notice = viewer.get_by_test_id("new-run-notice")
    expect(notice).to_contain_text("A new run has started", timeout=15_000)
    assert find_violations(viewer, "main") == []
    expect_reached(viewer, f"[data-testid=new-run-notice] button, {CONTROLS}", "844x390")
    notice.get_by_role("button", name="Open it").click()
    wait_for(viewer, f"!location.search.includes('{finished_run.run}')")
    expect(notice).to_have_count(0)
    viewer.go_back()
    wait_for(viewer, f"location.search.includes('{finished_run.run}')")
    presenter.go_back()
    # The next list of runs names it again.
    with presenter.expect_response("**/api/runs"):
        pass
    wait_for_frame(presenter)
    expect(notice).to_have_count(0)
    expect(presenter.get_by_test_id("new-run-notice")).to_have_count(0)
    viewer.close()
    context.close()
