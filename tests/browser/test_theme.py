"""The theme of the page: by the system, by hand or by the address; its first screen has no barriers on light ground."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.axe import find_violations
from tests.browser.fixtures import DESKTOP, FinishedRun
from tests.browser.pages import open_view, wait_for
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


def choose(page: Page, name: str) -> None:
    """Choose a theme in the view menu, which opens the page again."""
    open_view(page)
    with page.expect_navigation():
        page.get_by_test_id("theme").select_option(label=name)


@pytest.mark.tour
def test_the_theme_follows_the_system_the_hand_and_the_address(chromium: Browser, finished_run: FinishedRun):
    page = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce", color_scheme="light").new_page()
    page.goto(finished_run.url_with("at=3"))
    assert wait_for(page, SHOWN) == "dusk"
    choose(page, "Night")
    assert wait_for(page, SHOWN) == "night"
    assert page.evaluate("new URLSearchParams(location.search).get('at')") == "3", "the view stays"
    page.goto(finished_run.url_with("theme=dusk"))
    assert wait_for(page, SHOWN) == "dusk", "the address overrides the choice"
    choose(page, "As the system")
    assert wait_for(page, SHOWN) == "dusk"
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert wait_for(page, SHOWN) == "night"
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
