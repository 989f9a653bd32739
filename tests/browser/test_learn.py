"""What one plays with: the geometry of words, and a game by keyboard, with the server's numbers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import find_violations
from tests.browser.fixtures import FinishedRun
from tests.browser.pages import show_address, wait_for
from tests.browser.places.learn import Geometry

pytestmark = pytest.mark.browser


def test_a_custom_word_is_added_and_a_link_restores_it(desk: Page, finished_run: FinishedRun) -> None:
    show_address(desk, finished_run.url_with("panel=geometry"))
    geometry = Geometry(desk)
    expect(geometry.rules).to_have_count(6)
    geometry.choose_word(2, "word20")
    wait_for(desk, "location.search.includes('of=')")
    desk.reload()
    geometry.expect_word(2, "word20")
    expect(geometry.said).to_contain_text("“word20”")


def test_each_view_answers_and_the_arrow_keys_switch_views(desk: Page, finished_run: FinishedRun) -> None:
    show_address(desk, finished_run.url_with("panel=geometry&lab=analogy"))
    geometry = Geometry(desk)
    for name in ("relations", "axis", "pairs"):
        geometry.open_next_view(name)
        expect(geometry.step).to_be_visible()
        expect(geometry.problem).to_have_count(0)


def test_a_game_by_keyboard_beside_one_before_the_first_step(desk: Page, finished_run: FinishedRun) -> None:
    page = desk
    show_address(page, finished_run.url_with("panel=token"))
    page.get_by_test_id("open-game").click(timeout=20_000)
    page.get_by_test_id("play-newest").click()
    expect(page.get_by_test_id("game-place")).to_contain_text("Round 1 of")
    step = int(page.evaluate("new URLSearchParams(location.search).get('at')"))
    path = f"/api/runs/{finished_run.run}/geometry/odd-one-out?seed=0&step="
    game = finished_run.server.get(f"{path}{step}")
    assert game["step"] == step > 0
    words = page.get_by_test_id("game-word")

    # The digit keys answer where the focus is.
    first, *others = game["rounds"]
    expect(words.first).to_be_focused()
    page.keyboard.press(str(first["odd"] + 1))
    expect(page.get_by_test_id("game-said")).to_contain_text("Right")
    expect(page.get_by_test_id("game-said")).to_contain_text(first["words"][first["odd"]]["token"])
    expect(page.get_by_test_id("game-next")).to_be_focused()
    for a, b in ((first["odd"], place) for place in range(4) if place != first["odd"]):
        shown = page.locator(f"[data-cosine='{a}-{b}']")
        expect(shown).to_have_text(f"{first['cosine'][a][b]:.2f}".replace("-", "−"))
    ringed = sorted(word["token_id"] for word in first["words"])
    wait_for(
        page,
        f"__lamplighter.rings.map(([id]) => id).sort((a, b) => a - b).join() === '{','.join(map(str, ringed))}'",
    )

    # One wrong answer, all others right.
    page.keyboard.press("Enter")
    wait_for(page, "__lamplighter.rings.length === 0")
    for number, one in enumerate(others):
        expect(page.get_by_test_id("game-place")).to_contain_text(f"Round {number + 2} of")
        page.keyboard.press(str((one["odd"] + (number == 0)) % 4 + 1))
        expect(page.get_by_test_id("game-said")).to_contain_text("No" if number == 0 else "Right")
        page.keyboard.press("Enter")
    rounds = len(game["rounds"])
    expect(page.get_by_test_id("game-score")).to_contain_text(f"{rounds - 1} of {rounds} right")
    expect(page.get_by_test_id("play-again")).to_be_focused()
    wait_for(page, "__lamplighter.rings.length === 0")

    # Before the first step, always choose the first word.
    page.get_by_test_id("play-first").click()
    wait_for(page, "new URLSearchParams(location.search).get('at') === '0'")
    start = finished_run.server.get(f"{path}0")
    for one in start["rounds"]:
        expect(words.first).to_contain_text(one["words"][0]["token"])
        words.first.click()
        page.get_by_test_id("game-next").click()
    right = sum(one["odd"] == 0 for one in start["rounds"])
    scores = page.get_by_test_id("game-scores").locator("tbody tr")
    expect(scores).to_have_count(2)
    expect(scores.first).to_contain_text(f"{right} of {len(start['rounds'])}")
    expect(scores.last).to_contain_text(f"{rounds - 1} of {rounds}")
    assert find_violations(page, "[data-testid=inspector]") == []

    # This browser stores the scores.
    page.reload()
    expect(scores).to_have_count(2, timeout=20_000)
