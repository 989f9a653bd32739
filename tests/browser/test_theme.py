"""The theme of the page: by the system, by hand or by the address, and without barriers on light ground."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, StorageState, ViewportSize, expect

from tests.browser.axe import find_violations
from tests.browser.fixtures import DESKTOP, FinishedRun
from tests.browser.pages import PANELS, open_view, wait_for
from tests.browser.test_languages import GO, texts_at_rest
from tests.support.synthetic_runs.bright_run import KEEP

pytestmark = pytest.mark.browser

SHOWN = "window.__lamplighter?.shown && document.documentElement.dataset.theme"
PHONE: ViewportSize = {"width": 390, "height": 844}
LAND = """() => {
    const lamps = document.querySelector('.city > canvas');
    const pen = new OffscreenCanvas(1, 1).getContext('2d');
    pen.drawImage(lamps, 0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}"""
"""The mean colour of the map, roughly."""


def theme_of(page: Page) -> str:
    return wait_for(page, SHOWN)


def choose(page: Page, name: str) -> None:
    """Choose a theme in the view menu, which opens the page again."""
    open_view(page)
    with page.expect_navigation():
        page.get_by_test_id("theme").select_option(label=name)


def test_the_theme_follows_the_system_the_hand_and_the_address(chromium: Browser, finished_run: FinishedRun):
    page = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce", color_scheme="light").new_page()
    page.goto(finished_run.url_with("at=3"))
    assert theme_of(page) == "dusk"
    choose(page, "Night")
    assert theme_of(page) == "night"
    assert page.evaluate("new URLSearchParams(location.search).get('at')") == "3", "the view stays"
    page.goto(finished_run.url_with("theme=dusk"))
    assert theme_of(page) == "dusk", "the address overrides the choice"
    choose(page, "As the system")
    assert theme_of(page) == "dusk"
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert theme_of(page) == "night"
    page.context.close()


def test_the_first_screen_at_dusk_has_no_barrier(chromium: Browser, finished_run: FinishedRun):
    for viewport in (DESKTOP, PHONE):
        page = chromium.new_page(viewport=viewport, reduced_motion="reduce", color_scheme="light")
        page.add_init_script(KEEP)
        page.goto(finished_run.url_with(""))
        wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat")
        assert find_violations(page) == []
        assert min(page.evaluate(LAND)) > 150, "the map is light"
        page.close()


@pytest.mark.tour
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("theme", ["night", "dusk"])
def test_no_place_has_a_barrier(
    theme: str, language: str, chromium: Browser, finished_run: FinishedRun, presenting: StorageState
) -> None:
    context = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce", storage_state=presenting)
    page = context.new_page()
    words = f"theme={theme}&lang={language}&token=3&tokens=4,5"
    page.goto(finished_run.url_with(words))
    wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat")
    for place in [*(f"panel={panel}" for panel in PANELS), "lesson=1.2", "lesson=4.7"]:
        page.evaluate(GO, finished_run.url_with(f"{words}&{place}"))
        texts_at_rest(page)
        assert find_violations(page) == [], place
    page.goto(finished_run.url_with(f"{words}&at=40"))
    page.get_by_test_id("what-if").click()
    expect(page.get_by_test_id("fork-cost")).to_be_visible()
    assert find_violations(page) == [], "the form of a fork"
    context.close()
