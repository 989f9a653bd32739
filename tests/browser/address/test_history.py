"""Back and Forward as undo and redo, and what creates a history entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.address.address_bar import (
    DRAWN,
    STEPS,
    TwoRuns,
    choose_word,
    drag_map,
    expect_same_after_loading,
    press,
    view,
    wait_for_view,
)
from tests.browser.fixtures import LAST, point_at_step
from tests.browser.pages import choose_entry, colour_by, open_panel, show_level, wait_for
from tests.support.application import Application

pytestmark = pytest.mark.browser


def facts(page: Page) -> dict[str, Any]:
    """Return the address, and the page's matching state."""
    page.wait_for_timeout(700)
    shown = """() => {
        const text = (id) => document.querySelector(`[data-testid=${id}]`)?.textContent.trim() ?? null;
        return {
            address: location.search,
            step: text('step'),
            map: __lamplighter.shown?.method,
            token: text('token'),
            tab: document.querySelector('[role=tab][aria-selected=true]')?.dataset.testid,
            colour: text('legend-fold'),
            second: document.querySelectorAll('[data-testid=city]').length,
            gathered: text('gathered-strip'),
            place: __lamplighter.pixelOf(0).map(Math.round),
        };
    }"""
    return page.evaluate(shown)


def assert_same(shown: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check two pages' facts.

    A position in the address has four digits, so rounding may move it by a pixel.
    """
    assert {**shown, "place": None} == {**expected, "place": None}
    assert shown["place"] == pytest.approx(expected["place"], abs=2)


@pytest.mark.tour
def test_ten_steps_back_and_forward_undo_and_redo_ten_choices(page: Page, runs: TwoRuns) -> None:
    choices: list[Callable[[], Any]] = [
        lambda: choose_word(page, "cat"),
        lambda: choose_entry(page, "toggleMap"),
        lambda: colour_by(page, "frequency"),
        lambda: press(page, "Space"),
        lambda: press(page, "Shift+ArrowLeft"),
        lambda: page.get_by_test_id("level-lab").click(),
        lambda: choose_entry(page, "toggleSecondMap"),
        lambda: page.get_by_test_id("level-watch").click(),
        # The first of two maps: the second has a separate view here, because the two do not share a space.
        lambda: drag_map(page, 80, -40, x=250),
        lambda: choose_entry(page, "goLive"),
    ]
    start = page.evaluate("history.length")
    seen = [facts(page)]
    for choose in choices:
        choose()
        seen.append(facts(page))
    assert page.evaluate("history.length") == start + len(choices)
    assert len({one["address"] for one in seen}) == len(seen)
    for before in reversed(seen[:-1]):
        page.go_back(wait_until="commit")
        assert_same(facts(page), before)
    for after in seen[1:]:
        page.go_forward(wait_until="commit")
        assert_same(facts(page), after)
    assert page.evaluate("history.length") == start + len(choices)


def test_a_drag_a_scrub_and_a_held_key_make_one_entry_each(shared: Page, runs: TwoRuns) -> None:
    start = shared.evaluate("history.length")
    drag_map(shared, 120, 30)
    wait_for(shared, "location.search.includes('look=')")
    assert shared.evaluate("history.length") == start + 1
    point_at_step(shared, LAST // 4)
    shared.mouse.down()
    for step in (30, 24, 18, 12):
        point_at_step(shared, step)
        shared.wait_for_timeout(300)
    assert "at=" not in shared.url, "the entry is made when the scrub ends"
    shared.mouse.up()
    wait_for(shared, "location.search.includes('at=')")
    assert shared.evaluate("history.length") == start + 2
    shared.mouse.move(640, 20)
    at = int(view(shared)["at"])
    shared.evaluate("document.activeElement.blur()")
    shared.keyboard.down("ArrowRight")
    for _ in range(5):
        shared.keyboard.down("ArrowRight")
    shared.keyboard.up("ArrowRight")
    wait_for_view(shared, at=str(at + 6))
    assert shared.evaluate("history.length") == start + 3
    shared.go_back(wait_until="commit")
    wait_for_view(shared, at=str(at))
    shared.go_back(wait_until="commit")
    wait_for_view(shared, at=None)


@pytest.mark.tour
def test_automatic_changes_make_no_history_entry(shared: Page, runs: TwoRuns) -> None:
    shared.goto(runs.link("&from=0&speed=200"))
    wait_for(shared, "window.__lamplighter?.beat?.step > 5")
    start = shared.evaluate("history.length")
    wait_for(shared, f"__lamplighter.step === {STEPS}", 20)
    shared.wait_for_timeout(600)
    assert shared.evaluate("history.length") == start


def test_back_leads_into_another_run_and_forward_out_of_it(shared: Page, runs: TwoRuns) -> None:
    choose_word(shared, "cat")
    wait_for_view(shared, word="cat")
    shared.keyboard.press("Space")
    wait_for_view(shared, at=str(STEPS))
    open_panel(shared, "runs")
    shared.locator(f"[data-run='{runs.first}']").get_by_test_id("open-run").click()
    wait_for_view(shared, run=runs.first, word=None, at=None)
    wait_for(shared, f"__lamplighter.beat?.step === {LAST}")
    shared.go_back(wait_until="commit")
    wait_for_view(shared, run=runs.second, word="cat", at=str(STEPS), panel="runs")
    wait_for(shared, f"__lamplighter.beat?.step === {STEPS}")
    show_level(shared, "explore")
    expect(shared.get_by_test_id("token")).to_have_text("cat")
    expect(shared.get_by_test_id("step")).to_have_text(str(STEPS))
    shared.go_back(wait_until="commit")
    shared.go_back(wait_until="commit")
    wait_for_view(shared, panel=None, at=str(STEPS))
    shared.go_forward(wait_until="commit")
    shared.go_forward(wait_until="commit")
    expect(shared.get_by_test_id("token")).to_have_text("cat")


@pytest.mark.tour
def test_on_a_phone_the_inspector_is_part_of_the_view(runs: TwoRuns, chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.goto(runs.link())
    wait_for(page, DRAWN)
    show_level(page, "lab")
    wait_for_view(page, panel="step")
    expect_same_after_loading(page)
    expect(page.get_by_test_id("inspector")).to_be_visible()
    page.go_back(wait_until="commit")
    wait_for_view(page, panel=None)
    expect(page.get_by_test_id("inspector")).to_have_count(0)
    page.close()


def test_back_from_a_live_run_returns_to_the_present(shared: Page, application: Application) -> None:
    run = application.only_run()
    shared.goto(f"{application.url}/?run={run.id}")
    wait_for(shared, DRAWN, 60)
    shared.keyboard.press("Space")
    at = wait_for(shared, "new URLSearchParams(location.search).get('at')")
    shared.keyboard.press("ArrowLeft")
    wait_for_view(shared, at=str(int(at) - 1))
    shared.go_back(wait_until="commit")
    wait_for_view(shared, at=at)
    shared.go_back(wait_until="commit")
    wait_for_view(shared, at=None)
    expect(shared.get_by_test_id("connection")).to_have_text("live")
    shared.go_forward(wait_until="commit")
    wait_for(shared, f"__lamplighter.beat?.step === {at}")
