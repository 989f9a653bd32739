"""One training step under the microscope: opened by a presenter, number by number, and seen by a viewer."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import find_violations
from tests.browser.fixtures import DESKTOP, hold_run, open_held_step
from tests.browser.pages import choose_entry, wait_for
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

STEP = 20
"""A step that the examiner reaches at once, because its state is kept."""
PHONE = {"width": 390, "height": 844}
STATIONS = ("symbol", "vector", "transformation", "gradient", "update")
QUERY = "new URLSearchParams(location.search)"
OVERFLOW = """(() => {
  const place = document.querySelector("[data-testid=microscope]");
  return [place.scrollHeight - place.clientHeight, place.scrollWidth - place.clientWidth];
})()"""


@pytest.fixture(scope="module", autouse=True)
def _held(application: Application) -> None:
    hold_run(application, STEP)


def test_a_step_fits_on_one_screen_and_a_viewer_sees_it(
    page: Page, application: Application, chromium: Browser
) -> None:
    open_held_step(page, application, STEP)
    choose_entry(page, "microscope")
    place = page.get_by_test_id("microscope")
    expect(place).to_be_focused()
    # A presenter's microscope opens the displayed step at once.
    expect(page.get_by_test_id("verdict")).to_contain_text(
        "Matches the recording bit for bit", timeout=30_000
    )
    for station in STATIONS:
        expect(page.get_by_test_id(station)).to_be_in_viewport(ratio=1)
    expect(page.get_by_test_id("helped")).to_be_in_viewport(ratio=1)
    assert page.evaluate(OVERFLOW) == [0, 0]
    expect(page.get_by_test_id("replayed")).to_contain_text("matches the recording bit for bit")
    expect(page.get_by_test_id("checked")).to_contain_text("matches the recording bit for bit")
    assert find_violations(page) == []

    # Another number of the same word, by keyboard: its change is computed on request.
    change = page.get_by_test_id("change").inner_text()
    word = page.evaluate(f"{QUERY}.get('row')").rsplit(".", 1)[0]
    numbers = page.get_by_test_id("numbers")
    numbers.focus()
    page.keyboard.press("ArrowDown")
    expect(numbers).to_have_attribute("aria-valuenow", "8")
    assert page.get_by_test_id("change").inner_text() == change
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("update")).to_contain_text(f"“{word}”, number 8", timeout=20_000)
    wait_for(page, f"{QUERY}.get('row') === '{word}.8'")

    # Another word of the text, by the arrow keys: the predictions are those after it.
    guesses = page.get_by_test_id("guesses").inner_text()
    page.get_by_test_id("symbol").locator("[aria-pressed=true]").focus()
    page.keyboard.press("Home")
    wait_for(page, f"{QUERY}.get('micro') === '0.0'")
    assert page.get_by_test_id("guesses").inner_text() != guesses
    expect(page.get_by_test_id("step-forward")).to_be_visible()
    page.keyboard.press("Escape")
    expect(place).to_have_count(0)

    viewer = chromium.new_page(viewport=PHONE, reduced_motion="reduce")
    open_held_step(viewer, application, STEP, f"&panel=microscope&row={word}.8&micro=0.1")
    expect(viewer.get_by_test_id("update")).to_contain_text(f"“{word}”, number 8")
    assert viewer.evaluate(OVERFLOW)[1] == 0
    assert find_violations(viewer) == []
    viewer.get_by_test_id("step-back").click()
    expect(viewer.get_by_test_id("back-to-step")).to_be_visible()
    expect(viewer.get_by_test_id("open-step")).to_have_count(0)
    viewer.close()


def test_the_step_panel_leads_there_and_a_viewer_sees_the_nearest_opened_step(
    page: Page, application: Application, chromium: Browser
) -> None:
    open_held_step(page, application, STEP, "&panel=step")
    page.get_by_test_id("open-microscope").click()
    expect(page.get_by_test_id("verdict")).to_be_visible(timeout=30_000)
    page.get_by_test_id("close-microscope").click()
    expect(page.get_by_test_id("open-microscope")).to_be_visible()
    viewer = chromium.new_page(viewport=DESKTOP, reduced_motion="reduce")
    viewer.goto(f"{application.url}/?run={application.only_run().id}&at={STEP - 1}&panel=microscope")
    # A step that was not opened: the viewer sees one that was, and is told so.
    expect(viewer.get_by_test_id("verdict")).to_be_visible()
    expect(viewer.get_by_test_id("microscope")).to_contain_text(
        f"This is step {STEP}. You are at step {STEP - 1}."
    )
    viewer.close()
