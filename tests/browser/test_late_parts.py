"""Parts of the page that load on first use, and what a viewer sees when their code does not arrive."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.fixtures import DESKTOP, LAST, FinishedRun
from tests.browser.pages import choose_entry, open_panel, wait_for

pytestmark = pytest.mark.browser

PARTS = [
    ("late-panels", "level-lab", "differences"),
    # They share the same code.
    pytest.param("late-panels", "open-runs", "runs", marks=pytest.mark.tour),
    pytest.param("explore-panels", "level-explore", "token", marks=pytest.mark.tour),
]


@pytest.fixture
def page(finished_run: FinishedRun, chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport=DESKTOP)
    page.goto(finished_run.url_with("word=cat&folded=1"))
    wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")
    yield page
    page.close()


@pytest.mark.parametrize(("script", "button", "content"), PARTS)
def test_a_part_loads_on_first_use_and_again_after_a_failure(
    page: Page, script: str, button: str, content: str
) -> None:
    loaded = f"performance.getEntriesByType('resource').some(({{ name }}) => name.includes('/{script}-'))"
    assert not page.evaluate(loaded)
    name = re.compile(rf"/assets/{script}-[\w-]+\.js$")
    page.route(name, lambda route: route.abort("connectionrefused"))
    page.get_by_test_id(button).click()
    expect(page.get_by_test_id("not-loaded")).to_contain_text("did not load")
    expect(page.get_by_test_id(content)).to_have_count(0)
    page.unroute_all()
    page.get_by_test_id("not-loaded").get_by_role("button").click()
    expect(page.get_by_test_id(content)).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("not-loaded")).to_have_count(0)


def test_an_outdated_page_says_so_and_reloads_in_place(page: Page) -> None:
    page.route(re.compile(r"/assets/late-panels-"), lambda route: route.fulfill(status=404))
    page.route(
        re.compile(r":\d+/$"), lambda route: route.fulfill(body='<script src="./assets/index-new.js">')
    )
    page.keyboard.press("?")
    notice = page.get_by_test_id("not-loaded")
    expect(notice).to_contain_text("was updated after you opened this page")
    assert notice.evaluate("one => getComputedStyle(one).borderTopWidth") == "1px"
    page.keyboard.press("Escape")
    expect(notice).to_have_count(0)
    page.keyboard.press("?")
    reload = notice.get_by_role("button", name="Reload")
    # The page requests both files again; they must stay replaced until it has the answers.
    expect(reload).to_be_visible(timeout=20_000)
    page.unroute_all()
    address = page.url
    with page.expect_navigation():
        reload.click()
    wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")
    assert page.url == address


@pytest.mark.tour
def test_a_slow_part_shows_that_it_is_loading(page: Page) -> None:
    held: list[Route] = []
    page.route(re.compile(r"/assets/late-panels-"), lambda route: held.append(route))
    open_panel(page, "matrix")
    expect(page.get_by_text("Loading this part of the page")).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.get_by_test_id("matrix-rows")).to_be_visible()
    expect(page.get_by_text("Loading this part of the page")).to_have_count(0)


@pytest.mark.tour
def test_a_picture_is_saved_once_its_drawing_code_has_loaded(page: Page) -> None:
    name = re.compile(r"/assets/export-[\w-]+\.js$")
    page.route(name, lambda route: route.abort("connectionrefused"))
    # The key may come before the route that makes the request fail is active; a round trip to the page
    # ensures the order.
    page.evaluate("null")
    choose_entry(page, "savePicture")
    expect(page.get_by_test_id("picture-news")).to_contain_text("did not load")
    page.unroute_all()
    with page.expect_download() as downloading:
        choose_entry(page, "savePicture")
    assert downloading.value.suggested_filename.endswith(".png")
