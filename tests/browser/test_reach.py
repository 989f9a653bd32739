"""Everything within reach: controls inside windows of every size, the keyboard's way through the page, scrolling."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, ViewportSize, expect

from tests.browser.fixtures import DESKTOP, LAST, FinishedRun, expect_step
from tests.browser.pages import wait_for

pytestmark = pytest.mark.browser

DRAWN = "window.__lamplighter?.shown && __lamplighter.beat"
SIZES = [(320, 320), (640, 360), (844, 390), (853, 480), (1093, 500), (1280, 720)]
"""Among them a phone on its side, and 1280x720 at 150, 200 and 400 %."""
FURTHER_SIZES = [(320, 561), (390, 844), (512, 384), (932, 430), (1024, 561), (1366, 625), (3840, 2160)]
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
"""Controls that are outside the window, or beneath something else."""
SMALL = """([within, least]) => [...document.querySelectorAll(within)]
    .filter((one) => one.checkVisibility())
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width < least - 0.5 || height < least - 0.5)
    .map(([one, { width, height }]) => `${one.outerHTML.slice(0, 120)}: ${width} x ${height}`)"""
CONTROLS = "header button, .corner button, .legend select, .legend button, .transport :is(button, select, [role=slider])"


@pytest.fixture(scope="module")
def presenting(
    finished_run: FinishedRun, chromium: Browser, known_sessions: dict[str, StorageState]
) -> StorageState:
    """Hold the presenter's session on the server of the finished run."""
    url = finished_run.server.url
    if url not in known_sessions:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(finished_run.server.launch_url)
        page.wait_for_url(f"{url}/*")
        known_sessions[url] = context.storage_state()
        context.close()
    return known_sessions[url]


@pytest.fixture(scope="module")
def page(chromium: Browser, presenting: StorageState) -> Iterator[Page]:
    """Open an empty page of the presenter's; fail if it reports an error."""
    context = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce", storage_state=presenting)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(f"{error}\n{error.stack}"))
    yield opened
    context.close()
    assert not faults


def open_page(page: Page, finished: FinishedRun, query: str, size: ViewportSize = DESKTOP) -> None:
    page.set_viewport_size(size)
    page.goto(finished.url_with(query))
    wait_for(page, DRAWN)


def expect_reached(page: Page, within: str, where: str) -> None:
    """Check that all controls within are inside the window and in front, once the page has taken its size."""
    for _ in range(40):
        if not (unreached := page.evaluate(UNREACHED, within)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"out of reach at {where}: {unreached}")


@pytest.mark.parametrize(
    ("sizes", "finger"),
    [
        pytest.param(SIZES, False, id="mouse"),
        pytest.param(PHONES, True, id="finger"),
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
    open_page(page, finished_run, "folded=1&at=40")
    menu = page.get_by_test_id("more-controls")
    for width, height in sizes:
        where = f"{width}x{height}"
        page.set_viewport_size({"width": width, "height": height})
        expect_reached(page, CONTROLS, where)
        assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight"), where
        assert page.evaluate("document.querySelector('.middle').clientHeight") >= 80, where
        for name in ("resume-replay", "step-back", "step-forward", "map-umap", "map-linear", "map-skyline"):
            expect(page.get_by_test_id(name)).to_be_visible()
        track = page.get_by_test_id("scrubber").bounding_box()
        assert track, where
        assert track["width"] >= 95, where
        assert track["height"] >= 44, where
        assert page.evaluate(SMALL, [".transport :is(button, select)", 44 if finger else 24]) == [], where
        expect(menu).to_be_visible(visible=height <= 560)
        if height <= 560:
            menu.click()
        for name in ("speed", "continue"):
            expect(page.get_by_test_id(name)).to_be_visible()
        expect_reached(page, "#more-controls :is(button, select)", where)
        if height <= 560:
            page.keyboard.press("Escape")
            expect(page.get_by_test_id("speed")).not_to_be_visible()
    context.close()


def test_in_a_low_window_the_inspector_is_beside_the_map(page: Page, finished_run: FinishedRun) -> None:
    for width, height in ((640, 360), (844, 390), (320, 320)):
        open_page(page, finished_run, "panel=token&token=3", {"width": width, "height": height})
        close = page.get_by_test_id("inspector").get_by_role("button", name="Fold the inspector away (i)")
        expect_reached(page, "[data-testid=inspector] .top :is(button, input), .transport button", f"{width}")
        left, bottom = page.evaluate(
            "(({ left, bottom }) => [left, bottom])(document.querySelector('.side').getBoundingClientRect())"
        )
        assert bottom <= page.evaluate("document.querySelector('.transport').getBoundingClientRect().top") + 1
        assert left >= 0.5 * width or width < 560
        close.click()
        expect_reached(page, CONTROLS, f"{width}")
