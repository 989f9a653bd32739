"""The cost panel: energy with its method, the text without a measurement, and a step shared by
two processes.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import find_violations
from tests.browser.fixtures import hold_run, open_held_step
from tests.browser.pages import show_level
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

STEP = 23


@pytest.fixture(scope="module", autouse=True)
def _held(application: Application) -> None:
    hold_run(application, STEP)


def test_the_panel_shows_joules_with_their_method_and_a_step_shared_by_two_processes(
    page: Page, application: Application
) -> None:
    open_held_step(page, application, STEP)
    show_level(page, "lab")
    page.get_by_role("tab", name="Cost").click()
    joules = page.get_by_test_id("joules")
    expect(joules).to_contain_text("J", timeout=20_000)
    # Read when the run was paused, between two regular readings.
    expect(joules).not_to_have_text("0 J")
    expect(page.get_by_test_id("watts")).to_contain_text("W")
    expect(page.get_by_test_id("method")).to_contain_text(re.compile("Measured|Estimated"))
    expect(page.get_by_test_id("method-error")).to_be_visible()
    expect(page.get_by_test_id("six-nd").locator("dt")).to_have_count(3)
    scale = page.get_by_test_id("scale").locator("> li")
    expect(scale).to_have_count(7)
    for link in page.get_by_test_id("scale").get_by_role("link").all():
        assert (link.get_attribute("href") or "").startswith("https://")
    assert find_violations(page) == []
    page.get_by_test_id("share-step").click()
    shared = page.get_by_test_id("shared-step")
    expect(shared).to_have_attribute("data-state", "done", timeout=60_000)
    expect(page.get_by_test_id("formula")).to_contain_text("to the byte")
    assert find_violations(page) == []
