"""The board of claims lights up by itself for a presenter; a viewer sees it, and asks no questions."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.axe import find_violations
from tests.browser.first_visit import first_visit
from tests.browser.fixtures import DESKTOP, hold_run, open_held_step
from tests.browser.pages import wait_for
from tests.browser.places.evidence import Board
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

PHONE: ViewportSize = {"width": 390, "height": 844}
STEP = 120
CLAIMS = 28
BY_BUTTON = 18
ASKED_ANEW = 25
QUERY = "new URLSearchParams(location.search)"


def test_the_board_lights_up_and_each_window_links_to_its_view(
    page: Page, application: Application, chromium: Browser
) -> None:
    hold_run(application, STEP)
    open_held_step(page, application, STEP)
    board = Board(page)
    board.open()
    expect(board.windows).to_have_count(CLAIMS, timeout=20_000)
    expect(board.window(18)).to_have_attribute("data-state", "unmeasured")
    expect(page.get_by_test_id("claims-check").locator("[data-role=claim]")).to_have_count(0)
    expect(page.get_by_test_id("train-control")).to_be_enabled()
    # Questions run one after the other, until only those remain that a person must start.
    for number in (5, 9, 13, 26, 28):
        expect(page.locator(f"#claim-{number}")).not_to_have_attribute(
            "data-state", "unmeasured", timeout=120_000
        )
    expect(page.get_by_test_id("claims-stop")).to_have_count(0, timeout=60_000)
    assert find_violations(page) == []

    # Every window shows its statement, and a link to an existing view.
    for number in range(1, CLAIMS + 1):
        page.locator(f"#claim-{number}").click()
        expect(page.get_by_test_id("claim-card")).to_contain_text(str(number))
        show = page.get_by_test_id("claim-show")
        # The board computes the rotation itself; there the button asks for the displayed answer.
        assert (show.get_attribute("href") in (None, "", "?")) == (number == ASKED_ANEW)
    page.locator(f"#claim-{BY_BUTTON}").click()
    expect(page.get_by_test_id("claim-measure")).to_be_enabled()
    page.locator("#claim-9").click()
    page.get_by_test_id("claim-show").click()
    wait_for(page, f"{QUERY}.get('panel') === 'experiments' && {QUERY}.get('ask') === 'bench'")
    expect(page.get_by_test_id("answer")).to_have_attribute("data-state", "done")
    expect(page.get_by_test_id("asked-with")).to_have_text("After 40 steps of training.")
    # Both buttons open their own answer, even if the form is set to another question.
    page.go_back(wait_until="commit")
    page.get_by_test_id("claim-break").click()
    expect(page.get_by_test_id("asked-with")).to_have_text("After 1 step of training.")
    expect(page.get_by_test_id("answer")).to_have_attribute("data-state", "done", timeout=60_000)
    page.go_back(wait_until="commit")
    page.locator("#claim-13").click()
    page.get_by_test_id("claim-show").click()
    expect(page.get_by_test_id("forgets-first")).to_be_visible()
    page.go_back(wait_until="commit")
    # The step that a claim names opens, never another step's numbers under its name.
    page.locator("#claim-10").click()
    page.get_by_test_id("claim-break").click()
    expect(page.get_by_test_id("microscope")).to_have_attribute("data-step", "10", timeout=60_000)
    page.go_back(wait_until="commit")
    expect(page.get_by_test_id("claims-panel")).to_be_visible(timeout=20_000)
    # Esc closes the board wherever the focus is.
    page.get_by_test_id("speed").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("claims-panel")).to_have_count(0)
    wait_for(page, f"!{QUERY}.has('claim')")

    viewer = chromium.new_page(viewport=DESKTOP, reduced_motion="reduce")
    open_held_step(viewer, application, STEP, "&panel=claims&claim=9")
    expect(viewer.locator("#claim-9")).not_to_have_attribute("data-state", "unmeasured", timeout=20_000)
    expect(viewer.get_by_test_id("claim-measure")).to_have_count(0)
    expect(viewer.get_by_test_id("claims-stop")).to_have_count(0)
    expect(viewer.get_by_test_id("claims-control")).to_be_visible()
    expect(viewer.get_by_test_id("train-control")).to_have_count(0)
    viewer.close()


def test_a_first_visitor_sees_the_linked_claim_before_the_introduction(
    application: Application, chromium: Browser
) -> None:
    hold_run(application, STEP)
    visit = first_visit(chromium, viewport=PHONE, reduced_motion="reduce")
    page = visit.new_page()
    open_held_step(page, application, STEP, "&panel=claims&claim=5")
    card = page.get_by_test_id("claim-card")
    expect(card).to_be_in_viewport(ratio=0.5)
    page.set_viewport_size(DESKTOP)
    introduction = page.get_by_test_id("introduction")
    expect(introduction).to_have_count(1)
    expect(introduction).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("claims-panel")).to_have_count(0)
    expect(introduction).to_be_visible()
    visit.close()
