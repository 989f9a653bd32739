"""A model's two matrices in the browser: the second map, drawn on request, and both lists on a
word's card.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.fixtures import FinishedRun
from tests.browser.map_page import write_maps
from tests.browser.pages import wait_for
from tests.support.application import Application
from tests.support.folders import FakeTrainer, V, make_run
from tests.support.synthetic_runs.waypoints import random_matrix, write_waypoint

pytestmark = [pytest.mark.browser, pytest.mark.tour]


@dataclass
class OneRun:
    """A finished run with waypoints, on a server."""

    server: Application
    id: str

    def address(self, rest: str) -> str:
        return f"{self.server.url}/?run={self.id}&{rest}"


@pytest.fixture
def one_run(finished_run: FinishedRun) -> OneRun:
    server = finished_run.server
    trainer = FakeTrainer(make_run(RunStore(server.runs))).begin().train(30)
    write_maps(trainer.run.layouts_path, V, (10, 20, 30), ("animals", "marks"))
    trainer.end()
    for step in (0, 10, 20):
        write_waypoint(trainer.run, step, random_matrix(trainer.run, step))
    return OneRun(server, trainer.run.id)


def open_page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")


def test_the_presenter_requests_the_second_map_and_a_waiting_viewer_sees_it(
    one_run: OneRun, chromium: Browser
) -> None:
    presenter, viewer = open_page(chromium), open_page(chromium)
    presenter.goto(one_run.server.new_launch_url())
    beside = one_run.address("folded=1&beside=matrix:out")
    viewer.goto(beside)
    expect(viewer.get_by_test_id("output-note")).to_contain_text("This map has not been drawn yet")
    expect(viewer.get_by_test_id("output-draw")).to_have_count(0)
    presenter.goto(beside)
    expect(presenter.get_by_test_id("first-caption")).to_contain_text("Words as context")
    presenter.get_by_test_id("output-draw").click()
    for page in (presenter, viewer):
        said = page.get_by_test_id("beside-said")
        expect(said).to_contain_text("Words as predictions · step 20", timeout=30_000)
        expect(page.get_by_test_id("output-note")).to_have_count(0)
        page.close()


def test_a_words_card_has_both_lists_at_one_step(one_run: OneRun, chromium: Browser) -> None:
    page = open_page(chromium)
    page.goto(one_run.address("word=dog&at=15"))
    page.get_by_test_id("two-cities").locator("summary").click()
    for name in ("foretells", "foretold"):
        expect(page.get_by_test_id(name)).to_have_attribute("data-step", "10")
        expect(page.get_by_test_id(name).locator("li")).to_have_count(8)
    expect(page.get_by_test_id("two-cities-common")).to_contain_text("step 10, the latest saved model")
    page.get_by_test_id("see-both-maps").click()
    wait_for(page, "location.search.includes('beside=matrix:out')")
    expect(page.get_by_test_id("beside-kind")).to_have_value("matrix")
    page.close()
