"""A set of runs in the browser: one thing in the list, and a page of what its members have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import find_violations
from tests.support.application import Application
from tests.support.folders import TOKENS
from tests.support.swept import recorded_set

pytestmark = [pytest.mark.browser, pytest.mark.tour]


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Serve a recorded set of three seeds, the last of which has not begun."""
    runs = tmp_path_factory.mktemp("runs")
    recorded_set(runs)
    with Application(runs, "serve", "--no-workers") as server:
        yield server


def test_a_set_is_one_entry_of_the_list_and_one_page(page: Page, application: Application) -> None:
    (found,) = application.get("/api/sets")["items"]
    first = found["members"][0]["run"]
    page.goto(f"{application.url}/?run={first}&panel=runs")
    entry = page.get_by_test_id("run-set")
    expect(entry.get_by_test_id("run-entry")).to_have_count(3)
    entry.get_by_test_id("open-set").click()
    panel = page.get_by_test_id("set-panel")
    expect(panel.get_by_role("heading", level=1)).to_have_text("One recipe, 3 trainings")
    expect(panel).to_contain_text("seed 0 to 2")
    expect(panel).to_contain_text("2 of 3 have finished")
    held = page.locator("[data-testid=set-claim][data-claim='1']")
    (claim,) = (
        one for one in application.get(f"/api/sets/{found['id']}/claims")["items"] if one["number"] == 1
    )
    expect(held.get_by_role("link")).to_have_count(len(claim["members"]), timeout=30_000)
    page.get_by_test_id("set-word-field").fill(TOKENS[1])
    page.get_by_test_id("set-word-show").click()
    path = f"/api/sets/{found['id']}/word?token={TOKENS[1]}"
    same = application.get(path)["same_in_all"]["words"]
    expect(page.get_by_test_id("set-word-same")).to_contain_text(f"{len(same)} of the")
    expect(page.get_by_test_id("set-city")).to_have_count(2)
    expect(page.get_by_test_id("set-curves")).to_contain_text("median of 2 trainings")
    assert find_violations(page, "[data-testid=set-panel]") == []
    page.get_by_test_id("close-set").click()
    expect(panel).to_have_count(0)
