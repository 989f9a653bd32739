"""The search for panels, neighbourhoods and commands beside words, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import find_violations
from tests.browser.fixtures import FinishedRun, sound_page
from tests.browser.pages import show_address, wait_for

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium) as page:
        yield page


@pytest.fixture
def page(finished_run: FinishedRun, opened: Page) -> Page:
    show_address(opened, finished_run.url_with("panel=measures"))
    wait_for(opened, "window.__lamplighter?.shown")
    return opened


def test_a_panel_and_a_command_are_found_by_keyboard(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("entry-run")).to_be_visible()
    assert find_violations(page, "header") == []
    page.keyboard.type("about this run")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("tab-run")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("listbox")).to_have_count(0)
    page.keyboard.press("Meta+k")
    page.keyboard.type("map")
    expect(page.get_by_test_id("entry-toggleMap")).to_be_visible()
    while page.get_by_test_id("entry-toggleMap").get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_for(page, "location.search.includes('map=linear')")


@pytest.mark.tour
def test_words_come_first_and_escape_leaves_the_field(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("cat")
    expect(page.get_by_test_id("found").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(page.get_by_test_id("search")).not_to_be_focused()
    # A word that the page knows is found while the server is silent, and first.
    page.route("**/tokens?search=**", lambda route: route.abort())
    page.keyboard.press("/")
    page.keyboard.type("dog")
    expect(page.get_by_test_id("found")).to_have_text(["dog"])
    page.keyboard.press("Enter")
    wait_for(page, "location.search.includes('word=dog')")
