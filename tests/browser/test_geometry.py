"""The geometry lab in the browser: its views answer, a custom word changes the sum, and a link
restores it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.fixtures import DESKTOP, FinishedRun, serve_finished_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FinishedRun]:
    with serve_finished_run(Path(tmp_path_factory.mktemp("runs"))) as finished:
        yield finished


@pytest.fixture
def page(run: FinishedRun, chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page(viewport=DESKTOP, reduced_motion="reduce")
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    opened.close()
    assert faults == []


def test_a_custom_word_is_added_and_a_link_restores_it(page: Page, run: FinishedRun) -> None:
    page.goto(run.url_with("panel=geometry"))
    expect(page.get_by_test_id("analogy-ruled").locator("li")).to_have_count(6)
    field = page.get_by_test_id("analogy-2")
    field.fill("word20")
    page.get_by_test_id("analogy-2-found").first.click()
    expect(page.get_by_test_id("analogy-2-word")).to_have_text("word20")
    page.wait_for_function("location.search.includes('of=')")
    page.reload()
    expect(page.get_by_test_id("analogy-2-word")).to_have_text("word20")
    expect(page.get_by_test_id("analogy-said")).to_contain_text("“word20”")


def test_each_view_answers_and_the_arrow_keys_switch_views(page: Page, run: FinishedRun) -> None:
    page.goto(run.url_with("panel=geometry"))
    for name in ("relations", "axis", "pairs"):
        page.locator("[data-testid^=lab-][aria-selected=true]").press("ArrowRight")
        expect(page.get_by_test_id(f"lab-{name}")).to_have_attribute("aria-selected", "true")
        expect(page.get_by_test_id("lab-step").first).to_be_visible()
        expect(page.get_by_test_id("lab-problem")).to_have_count(0)
