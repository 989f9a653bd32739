"""The neighbourhoods panel: the map's settings, and the smoothed replay."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.fixtures import training
from tests.browser.pages import open_panel, open_view
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

LATER = 60_000


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Start an application for this file alone, which ends its run."""
    with training(tmp_path_factory.mktemp("runs")) as started:
        yield started


def test_the_panel_shows_the_map_settings(page: Page):
    open_panel(page, "map")
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_test_id("map-made")).to_have_text(
        "Drawn by UMAP, updated continuously with 40 neighbours, minimum spacing 1, spread 1.5.",
        timeout=LATER,
    )
    expect(panel.get_by_test_id("map-basis")).to_contain_text(
        "linear view were chosen at step", timeout=LATER
    )


def test_a_finished_run_is_laid_out_again_and_replayed(page: Page, application: Application):
    run = application.only_run()
    open_panel(page, "map")
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_test_id("again-state")).to_have_text(
        "Available once this run is over.", timeout=LATER
    )
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
