"""The map's settings through the page: requested by keyboard, applied by the projector, seen by viewers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lamplighter.runfolder.tables.layouts import LayoutsReader
from tests.application import Application
from tests.browser.fixtures import training
from tests.browser.pages import open_panel, open_view, show_level
from tests.runs import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.tour]

LATER = 60_000


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Start an application of this file's own, which ends its run."""
    with training(tmp_path_factory.mktemp("runs")) as started:
        yield started


def made(application: Application) -> int:
    try:
        with LayoutsReader(application.only_run().layouts_path) as reader:
            return len(reader.layout_entries())
    except FileNotFoundError:
        return 0


def test_what_is_typed_stays_while_the_page_asks_the_server_again(page: Page):
    open_panel(page, "map")
    neighbours = page.get_by_test_id("map-neighbours")
    expect(neighbours).to_have_value("40", timeout=LATER)
    neighbours.fill("12")
    # Once the second one comes, all that the first one brought is on the page.
    for _ in range(2):
        with page.expect_response("**/api/session"):
            pass
    expect(neighbours).to_have_value("12")
    expect(page.get_by_test_id("map-apply")).to_be_enabled()


def test_another_map_is_asked_for_by_keyboard(page: Page, application: Application, tmp_path: Path):
    show_level(page, "lab")
    page.get_by_test_id("tab-map").focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_test_id("map-made")).to_contain_text(
        "UMAP, updated continuously with 40 neighbours", timeout=LATER
    )
    expect(panel.get_by_test_id("map-apply")).to_be_disabled()
    wait_until(lambda: made(application) > 4, "a map")
    panel.get_by_test_id("map-neighbours").fill("12")
    panel.get_by_test_id("map-min_dist").fill("0.2")
    page.keyboard.press("Enter")
    expect(panel.get_by_test_id("map-made")).to_contain_text(
        "12 neighbours, minimum spacing 0.2, spread 1.5", timeout=LATER
    )
    expect(panel.get_by_test_id("map-basis")).to_contain_text("chosen from the space at step")
    # Invalid settings are refused with an explanation.
    panel.get_by_test_id("map-spread").fill("0.15")
    panel.get_by_test_id("map-apply").click()
    expect(panel.get_by_test_id("map-problem")).to_contain_text("must be at most spread", timeout=LATER)
    panel.get_by_test_id("map-spread").fill("1.5")
    panel.get_by_test_id("map-method").select_option("pca")
    expect(panel.get_by_test_id("map-neighbours")).to_have_count(0)
    panel.get_by_test_id("map-apply").click()
    expect(panel.get_by_test_id("map-made")).to_have_text("Drawn by PCA.", timeout=LATER)
    # The menu of the view names the method once its first layout has arrived.
    open_view(page)
    expect(page.get_by_test_id("map-umap")).to_have_text("PCA", timeout=LATER)
    page.screenshot(path=tmp_path / "map.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_run_that_is_over_is_laid_out_anew_and_replayed(page: Page, application: Application):
    run = application.only_run()
    open_panel(page, "map")
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_test_id("again-state")).to_have_text("Once this run is over.", timeout=LATER)
    expect(panel.get_by_test_id("again-begin")).to_be_disabled()
    application.ask(run, "stop")
    application.wait_until_over(run)
    panel.get_by_test_id("again-begin").click(timeout=LATER)
    panel.get_by_test_id("again-cancel").click(timeout=LATER)
    expect(panel.get_by_test_id("again-state")).to_contain_text("Cancelled", timeout=LATER)
    # Few slices, so that the job ends soon.
    application.post(f"/api/runs/{run.id}/reprojection", {"slices": 4})
    expect(panel.get_by_test_id("again-state")).to_contain_text("Done: 4 maps", timeout=2 * LATER)
    expect(page.get_by_test_id("smoothed")).to_be_visible(timeout=LATER)
    expect(panel.get_by_test_id("set-again")).to_be_checked()
    panel.get_by_test_id("set-live").check()
    expect(page).to_have_url(re.compile("set=live"), timeout=LATER)
    panel.get_by_test_id("set-again").check()
    expect(page).to_have_url(re.compile("from=0"), timeout=LATER)
    expect(page).not_to_have_url(re.compile("set="), timeout=LATER)
    expect(panel.get_by_test_id("set-again")).to_be_checked()
    open_view(page)
    expect(page.get_by_test_id("map-umap")).to_have_text("Neighbourhoods", timeout=LATER)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
