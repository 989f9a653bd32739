"""The view: every key of the address, set by clicking and by link."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.address.address_bar import (
    DOG,
    DRAWN,
    EVIL,
    OTHER_DOG,
    STEPS,
    TwoRuns,
    choose_word,
    drag_map,
    expect_same_after_loading,
    wait_for_view,
)
from tests.browser.pages import (
    choose_entry,
    close_menu,
    colour_by,
    open_panel,
    open_view,
    show_level,
    show_map,
    wait_for,
)
from tests.support.folders import TOKENS

pytestmark = pytest.mark.browser


@pytest.mark.tour
def test_the_address_names_tokens_by_text(page: Page) -> None:
    choose_word(page, "cat")
    wait_for_view(page, word="cat", token=None)
    page.get_by_test_id("token-numbers").locator("summary").click()
    choose_word(page, "hotdog", "pair-search")
    wait_for_view(page, **{"with": "hotdog"}, pair=None)
    page.get_by_test_id("then").fill("20")
    page.get_by_test_id("then").press("Enter")
    wait_for_view(page, then="20")
    page.goto(f"{page.url}&panel=gathered")
    page.get_by_test_id("by-text").fill("word1")
    page.get_by_test_id("by-text").press("Enter")
    # Two of these tokens have other texts in this run.
    words = [word for id, word in enumerate(TOKENS) if "word1" in word and id not in (OTHER_DOG, EVIL)]
    wait_for_view(page, words=",".join(words), tokens=None)
    page.get_by_test_id("align").check()
    wait_for_view(page, align="1", panel="gathered")
    expect_same_after_loading(page)


@pytest.mark.tour
def test_the_map_its_colours_and_marks_are_in_the_address(page: Page) -> None:
    show_map(page, "linear")
    wait_for_view(page, map="linear")
    page.get_by_test_id("legend-fold").click()
    wait_for_view(page, legend="open")
    colour_by(page, "frequency")
    wait_for_view(page, colour="frequency")
    page.get_by_test_id("legend").locator("button.entry").first.click()
    ring = wait_for(page, "new URLSearchParams(location.search).get('ring')")
    page.get_by_test_id("trails").select_option("movers")
    wait_for_view(page, trails="movers", ring=ring)
    page.get_by_test_id("over").select_option("20")
    wait_for_view(page, over="20")
    page.get_by_test_id("links").select_option("both")
    wait_for_view(page, links="both")
    open_panel(page, "map")
    page.get_by_test_id("doubtful").check()
    wait_for_view(page, doubt="1", panel="map")
    page.get_by_test_id("districts").get_by_role("button").first.click()
    wait_for(page, "new URLSearchParams(location.search).get('district')")
    # Its card replaces the lab, which opens where it was left.
    wait_for_view(page, panel="district")
    show_level(page, "lab")
    wait_for_view(page, panel="map")
    show_level(page, "watch")
    wait_for_view(page, panel=None)
    expect(page.get_by_test_id("inspector")).to_have_count(0)
    choose_word(page, "cat")
    wait_for_view(page, word="cat")
    show_level(page, "watch")
    wait_for_view(page, folded="1")
    expect_same_after_loading(page)


@pytest.mark.tour
def test_the_second_map_is_in_the_address(page: Page) -> None:
    open_view(page)
    page.get_by_test_id("beside-open").click()
    close_menu(page)
    wait_for_view(page, beside="view:linear")
    page.get_by_test_id("beside-kind").select_option("step")
    page.get_by_test_id("together").uncheck()
    wait_for_view(page, apart="1", beside=f"step:{STEPS}")
    expect_same_after_loading(page)


@pytest.mark.tour
def test_an_address_of_the_former_skyline_opens_the_map(page: Page, runs: TwoRuns) -> None:
    page.goto(runs.link("&map=skyline&height=norm"))
    wait_for(page, "__lamplighter.shown?.method === 'umap'")
    wait_for_view(page, map=None, height=None)


@pytest.mark.tour
def test_the_matrix_is_in_the_address(page: Page) -> None:
    open_panel(page, "matrix")
    page.get_by_test_id("matrix-rows").select_option("frequency")
    page.get_by_test_id("matrix-change").check()
    page.get_by_test_id("matrix-against").fill("10")
    page.get_by_test_id("matrix-against").press("Enter")
    wait_for_view(page, panel="matrix", rows="frequency", against="10")
    expect_same_after_loading(page)


@pytest.mark.tour
def test_a_set_too_large_for_the_address_is_stored_as_a_rule(page: Page, runs: TwoRuns) -> None:
    # There are fewer tokens than a link can hold, so a rule comes only from a link.
    page.goto(runs.link("&gather=class:0&panel=gathered"))
    expect(page.get_by_test_id("gathered-count")).to_have_text("4 words selected")
    wait_for_view(page, gather=None, words="Dog,dogs,cat", tokens=str(DOG))
    expect_same_after_loading(page)


@pytest.mark.tour
def test_the_place_on_the_map_is_in_the_address_and_another_map_is_shown_whole(page: Page) -> None:
    wait_for(page, "document.querySelector('.city .nsewdrag')")
    pixel = "__lamplighter.pixelOf(9)"
    home = page.evaluate(pixel)
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -500)
    wait_for(page, "new URLSearchParams(location.search).get('look')")
    before = page.evaluate(pixel)
    expect_same_after_loading(page)
    wait_for(page, f"Math.hypot(...{pixel}.map((x, i) => x - {before}[i])) < 6", 10)
    choose_entry(page, "showWholeMap")
    wait_for_view(page, look=None)
    wait_for(page, f"Math.hypot(...{pixel}.map((x, i) => x - {home}[i])) < 6", 10)
    # A place on one map means nothing on another.
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -500)
    wait_for(page, "new URLSearchParams(location.search).get('look')")
    show_map(page, "linear")
    wait_for(page, "__lamplighter.shown.method === 'linear'")
    wait_for_view(page, map="linear", look=None)


@pytest.mark.tour
def test_a_district_stays_in_view_until_the_viewer_moves_the_map(page: Page, runs: TwoRuns) -> None:
    open_panel(page, "map")
    home = page.evaluate("__lamplighter.pixelOf(0)")
    page.get_by_test_id("districts").get_by_role("button").first.click()
    page.get_by_test_id("look-at-district").click()
    district = wait_for(page, "new URLSearchParams(location.search).get('district')")
    wait_for_view(page, look=f"district:{district}")
    wait_for(page, f"Math.hypot(...__lamplighter.pixelOf(0).map((x, i) => x - {home}[i])) > 30", 10)
    expect_same_after_loading(page)
    drag_map(page, 60, 20)
    wait_for(page, "/^[0-9.]+,[0-9.]+,[0-9.]+$/.test(new URLSearchParams(location.search).get('look'))", 10)
    # A district that does not exist shows the whole map.
    page.goto(runs.link("&look=district:77"))
    wait_for(page, DRAWN)
    expect_same_after_loading(page)


@pytest.mark.tour
def test_time_is_in_the_address_with_the_beat_and_the_set_of_maps(page: Page, runs: TwoRuns) -> None:
    page.keyboard.press("Space")
    wait_for_view(page, at=str(STEPS))
    page.keyboard.press("Shift+ArrowLeft")
    wait_for_view(page, at=str(STEPS - 10))
    # The light of step 50 stays, on the map before it.
    choose_entry(page, "toggleBeat")
    wait_for_view(page, at="50", beat="1")
    told = page.get_by_test_id("told")
    expect(told).to_have_attribute("data-telling", "light")
    wait_for(page, "__lamplighter.beat?.step === 50 && __lamplighter.shown.step === 40")
    page.wait_for_timeout(2_000)
    expect(told).to_have_attribute("data-telling", "light")
    expect_same_after_loading(page)
    wait_for(page, "__lamplighter.beat?.step === 50 && __lamplighter.shown.step === 40")
    choose_entry(page, "toggleBeat")
    wait_for_view(page, at="50", beat=None)
    expect(told).to_have_attribute("data-telling", "move")
    wait_for(page, "__lamplighter.shown.step === 50")
    open_panel(page, "map")
    # The smoothed maps are this run's default, so the address only says when others are shown.
    expect(page.get_by_test_id("set-again")).to_be_checked()
    page.get_by_test_id("set-live").check()
    wait_for_view(page, set="live", at="50")
    expect_same_after_loading(page)
    expect(page.get_by_test_id("set-live")).to_be_checked()
    page.get_by_test_id("speed").select_option("4")
    page.get_by_test_id("resume-replay").click()
    wait_for_view(page, set="live", at=None, **{"from": "50"}, speed="4")
    expect_same_after_loading(page)
    page.get_by_test_id("set-again").check()
    wait_for_view(page, set=None, **{"from": "50"})


@pytest.mark.tour
@pytest.mark.parametrize(
    ("query", "smoothed"),
    [
        ("&set=again&at=40", True),
        ("&at=40&set=again&trails=chosen&token=1", True),
        ("&set=again", True),
        ("&set=again&from=5&speed=1", True),
        ("&at=40&trails=chosen&token=1", True),
        ("&from=5&speed=1", True),
        ("&at=40&set=live&trails=chosen&token=1", False),
        ("&set=live&from=5&speed=1", False),
    ],
)
def test_everything_shown_of_the_past_uses_one_set_of_maps(
    page: Page, runs: TwoRuns, query: str, *, smoothed: bool
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(runs.link(f"{query}&panel=map"))
    wait_for(page, "window.__lamplighter?.shown")
    expect(page.get_by_test_id(f"set-{'again' if smoothed else 'live'}")).to_be_checked()
    expect_same_after_loading(page)
    past = [url for url in asked if "/api/" in url and ("/places?" in url or "layouts?" in url)]
    assert all(("set=again" in url) is smoothed for url in past), past
    # The trails are requested once the pointer has rested.
    assert any("token_ids=1&" in url for url in past) is ("trails" in query)
