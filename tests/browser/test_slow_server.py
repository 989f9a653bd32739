"""A server that takes long to answer: a step, a word and a panel that a person chose wait in plain sight."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.fixtures import FinishedRun, expect_step, open_last_step, point_at_step
from tests.browser.pages import choose_entry, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.tour]


@pytest.fixture(scope="module")
def page(finished_run: FinishedRun, chromium: Browser) -> Iterator[Page]:
    with open_last_step(finished_run, chromium) as page:
        yield page


def test_a_chosen_step_is_awaited_and_need_not_be(page: Page, finished_run: FinishedRun) -> None:
    held: list[Route] = []
    page.route(re.compile(r"/steps\?from=1&"), lambda route: held.append(route))
    said = page.get_by_test_id("awaiting")
    for step in (40, 30):
        point_at_step(page, step)
        page.mouse.down()
        page.mouse.up()
        expect(page.get_by_test_id("scrubber")).to_have_attribute("aria-valuenow", str(step))
        expect(page.get_by_test_id("tip")).to_have_count(0)
        expect(said).to_contain_text("The server has not answered yet. Step")
        if step == 40:
            page.get_by_test_id("stop-waiting").click()
            shown = page.evaluate("String(__lamplighter.step)")
            expect(page.get_by_test_id("scrubber")).to_have_attribute("aria-valuenow", shown)
            expect(said).to_have_count(0)
    for route in held:
        route.continue_()
    page.unroute_all()
    # The wish was kept.
    expect_step(page, finished_run, 30)
    expect(said).to_have_count(0)


def test_a_known_word_opens_without_its_list(page: Page) -> None:
    held: list[Route] = []
    page.route("**/tokens?search=*", lambda route: held.append(route))
    page.get_by_test_id("search").fill("cat")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("token")).to_have_text("cat")
    for route in held:
        route.abort()
    page.unroute_all()
    page.keyboard.press("Escape")


def test_the_board_of_claims_can_be_closed_while_its_code_loads(
    finished_run: FinishedRun, chromium: Browser
) -> None:
    with open_last_step(finished_run, chromium) as page:
        held: list[Route] = []
        page.route("**/assets/late-panels*", lambda route: held.append(route))
        choose_entry(page, "claims")
        expect(page.get_by_test_id("awaiting")).to_contain_text("The server has not answered yet.")
        page.get_by_test_id("close-loading").click()
        expect(page.get_by_test_id("close-loading")).to_have_count(0)
        wait_for(page, "!location.search.includes('panel=claims')")
        for route in held:
            route.abort()
        page.unroute_all()
