"""Forks in the browser: made from the page at a step, compared with their parent, and listed below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import find_violations
from tests.browser.fixtures import SMALL_TOWN
from tests.browser.pages import open_panel, wait_for
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

STEPS = 60
AT = 40
"""The step at which the forks begin."""
OWN = 20
"""Steps of a fork."""
SLOW = 60_000
"""Milliseconds in which a fork begins on a busy machine."""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Train one short run for this file alone, to which it adds forks."""
    with Application(tmp_path_factory.mktemp("runs"), "serve") as server:
        server.wait_until_over(server.start_run(SMALL_TOWN | {"steps": STEPS}), timeout=120)
        yield server


def fork_on_page(page: Page, application: Application, choice: str | None) -> str:
    """Fork the only run without a parent at `AT` from the page; the first choice if none is given. Returns the
    fork's id.
    """
    runs = application.get("/api/runs")["items"]
    known = {run["id"] for run in runs}
    (first,) = (run["id"] for run in runs if run["parent"] is None)
    page.goto(f"{application.url}/?run={first}&at={AT}")
    page.get_by_test_id("what-if").click()
    expect(page.get_by_test_id("fork-cost")).to_contain_text("This run stays as it is")
    if choice:
        page.get_by_test_id(f"fork-{choice}").check()
    page.get_by_test_id("fork-steps").fill(str(OWN))
    page.get_by_test_id("fork-train").click()
    wait_for(page, f"location.search.includes('beside=run:{first}')")
    (fork,) = {run["id"] for run in application.get("/api/runs")["items"]} - known
    wait_for(page, f"location.search.includes('run={fork}')")
    return fork


def test_a_fork_that_changes_nothing_is_told_to_be_equal(page: Page, application: Application) -> None:
    fork = fork_on_page(page, application, "control")
    application.wait_until_over(application.run(fork))
    expect(page.get_by_test_id("equality")).to_contain_text(
        f"Equal to the last bit for all {OWN} steps", timeout=SLOW
    )
    expect(page.get_by_test_id("relation")).to_contain_text(f"from step {AT} on, with nothing changed")
    expect(page.get_by_test_id("asleep")).to_contain_text("words are equal to the last bit")
    # Nothing glows, and the other map is at the same time.
    expect(page.get_by_test_id("beside-said")).to_contain_text(f"Step {AT + OWN}")
    page.keyboard.press("Home")
    expect(page.get_by_test_id("beside-said")).to_contain_text(f"Step {AT}")


def test_a_fork_takes_a_text_of_ones_own(page: Page, application: Application) -> None:
    sent: list[dict[str, Any]] = []

    def refuse(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(status=409, json={"detail": "another run is being trained"})

    (first,) = (run["id"] for run in application.get("/api/runs")["items"] if run["parent"] is None)
    page.route("**/forks", refuse)
    page.goto(f"{application.url}/?run={first}&at={AT}")
    page.get_by_test_id("what-if").click()
    page.get_by_test_id("fork-text").check()
    for text, problem in (
        ("", "Paste a text"),
        ("a short one", "3 words"),
        ("the dog " * 600, "Another run"),
    ):
        page.get_by_test_id("new-text").fill(text)
        if text:
            expect(page.get_by_test_id("text-facts")).not_to_contain_text("Counting")
        expect(page.get_by_test_id("fork-problem")).to_have_count(0)
        page.get_by_test_id("fork-train").click()
        expect(page.get_by_test_id("fork-problem")).to_contain_text(problem)
    assert [body["changes"] for body in sent] == [{"corpus.kind": "text"}]
    assert sent[0]["upload"]


def test_a_fork_in_two_clicks_shows_the_words_that_changed(page: Page, application: Application) -> None:
    fork = fork_on_page(page, application, None)
    application.wait_until_over(application.run(fork))
    expect(page.get_by_test_id("relation")).to_contain_text("with learning rate", timeout=SLOW)
    expect(page.get_by_test_id("equality")).to_contain_text("They differ from the first step on")
    expect(page.get_by_test_id("difference")).to_have_attribute("data-step", str(OWN), timeout=SLOW)
    word = page.get_by_test_id("changed-words").get_by_role("button").first
    word.click()
    expect(word).to_have_attribute("aria-expanded", "true")
    wait_for(page, "location.search.includes('word=') && location.search.includes('panel=difference')")
    assert not find_violations(page)
    open_panel(page, "runs")
    entry = page.locator(f"[data-run='{fork}']")
    expect(entry).to_have_attribute("data-depth", "1")
    expect(entry.get_by_test_id("origin")).to_contain_text(f"From step {AT}: learning rate")
    assert not find_violations(page)
