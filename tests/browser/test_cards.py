"""Cards of a word, a district and a selection in the browser, and the camera moving to a word and back."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.fixtures import (
    ELSEWHERE_ON_TOUR,
    LAST,
    FinishedRun,
    served_from,
    sound_page,
)
from tests.browser.pages import choose_entry, show_address, wait_for

pytestmark = pytest.mark.browser

QUERY = "new URLSearchParams(location.search)"


@pytest.fixture(scope="module", params=ELSEWHERE_ON_TOUR)
def run(
    request: pytest.FixtureRequest, finished_run: FinishedRun, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FinishedRun]:
    with served_from(request.param, finished_run, tmp_path_factory.mktemp("packed")) as served:
        yield served


@pytest.fixture(scope="module")
def opened(chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium) as page:
        yield page


@pytest.fixture
def page(run: FinishedRun, opened: Page) -> Page:
    """Show the last step in the page that most tests share."""
    opened.unroute_all()
    show_address(opened, run.url_with(""))
    opened.get_by_test_id("search").fill("")
    opened.evaluate("document.activeElement.blur()")
    wait_for(opened, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")
    return opened


def find_at_once(page: Page, word: str) -> None:
    """Search for a word, pressing Enter before an answer can have arrived."""
    page.route("**/tokens?**", lambda route: (page.wait_for_timeout(400), route.continue_()))
    page.keyboard.press("/")
    page.keyboard.type(word)
    page.keyboard.press("Enter")


@pytest.mark.tour
def test_an_early_enter_selects_when_the_answer_arrives(page: Page, run: FinishedRun) -> None:
    find_at_once(page, "hotdog")
    expect(page.get_by_test_id("token")).to_have_text("hotdog")
    expect(page.get_by_test_id("found")).to_have_count(0)
    # A list that lost focus covers nothing.
    page.keyboard.press("/")
    page.keyboard.type("word")
    expect(page.get_by_test_id("found").first).to_be_visible()
    page.get_by_test_id("level-lab").click()
    first = "measures" if run.page else "step"
    expect(page.get_by_test_id(f"tab-{first}")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_test_id("found")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("unicorn")
    expect(page.get_by_test_id("search-none")).to_have_text("“unicorn” isn't in this text.")


def test_the_camera_goes_to_a_word_and_escape_and_back_restore_the_view(page: Page) -> None:
    entries = page.evaluate("history.length")
    home = page.evaluate("__lamplighter.pixelOf(9)")
    page.keyboard.press("/")
    page.keyboard.type("hotdog")
    expect(page.get_by_test_id("found").first).to_be_visible()
    page.keyboard.press("Enter")
    wait_for(page, f"{QUERY}.get('look') && {QUERY}.get('word') === 'hotdog'")
    # With reduced motion it arrives at once, in the next frame.
    wait_for(page, f"Math.hypot(...__lamplighter.pixelOf(9).map((x, i) => x - {home}[i])) > 60")
    near = page.evaluate("__lamplighter.pixelOf(9)")
    assert page.evaluate("history.length") == entries + 1
    # From card to card; one Esc leads all the way back.
    page.get_by_test_id("neighbours").get_by_role("button").first.click()
    wait_for(page, f"{QUERY}.get('word') !== 'hotdog'")
    page.wait_for_timeout(400)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    wait_for(page, f"!{QUERY}.get('look') && !{QUERY}.get('word')")
    # A map that follows its lamps stays while a change would be too small to see.
    wait_for(page, f"Math.hypot(...__lamplighter.pixelOf(9).map((x, i) => x - {home}[i])) < 30")
    page.go_back()
    page.go_back()
    wait_for(page, f"{QUERY}.get('word') === 'hotdog'")
    wait_for(page, f"Math.hypot(...__lamplighter.pixelOf(9).map((x, i) => x - {near}[i])) < 4")
    page.go_back()
    wait_for(page, f"!{QUERY}.get('look') && !{QUERY}.get('word')")


def test_a_words_card_lists_neighbours_then_and_now_and_compares_the_maps_in_one_click(page: Page) -> None:
    page.get_by_test_id("level-explore").click()
    page.get_by_test_id("words-to-try").get_by_role("button").first.click()
    for side, step in (("neighbours-then", 0), ("neighbours", LAST)):
        expect(page.get_by_test_id(side)).to_have_attribute("data-step", str(step))
        expect(page.get_by_test_id(side).get_by_role("button")).to_have_count(4)
    expect(page.get_by_test_id("gradient")).to_have_count(0)
    page.get_by_test_id("token-numbers").locator("summary").click()
    expect(page.get_by_test_id("gradient")).to_be_visible()
    page.get_by_test_id("compare-maps").click()
    expect(page.get_by_test_id("beside-said")).to_contain_text("Step 0, before it read anything")
    expect(page.get_by_test_id("first-caption")).to_contain_text(f"Step {LAST}, now")
    then, now = (
        page.get_by_test_id(name).bounding_box() or {"x": 0} for name in ("beside-said", "first-caption")
    )
    assert then["x"] < now["x"]
    page.get_by_test_id("compare-maps").click()
    expect(page.get_by_test_id("beside-said")).to_have_count(0)


def test_a_district_has_a_card_and_a_selection_opens_its_card(page: Page, run: FinishedRun) -> None:
    found = run.server.get(f"/api/runs/{run.run}/districts")["items"]
    size = max(len(one["token_ids"]) for one in found)
    page.get_by_test_id("level-explore").click()
    page.get_by_test_id("districts").get_by_role("button").first.click()
    expect(page.get_by_test_id("district-origin")).to_have_text("Formed at step 0.")
    expect(page.get_by_test_id("district-words").get_by_role("button")).to_have_count(min(size, 12))
    name = page.get_by_test_id("district-name").inner_text()
    assert name in ("Animals", "Marks")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    wait_for(page, f"!{QUERY}.get('district')")
    expect(page.get_by_test_id("inspector")).to_have_count(0)
    wait_for(page, "document.querySelector('.city .nsewdrag')")
    choose_entry(page, "toggleLasso")
    # The map has more room again, and Plotly notices the lasso a moment later.
    page.wait_for_timeout(800)
    x, y = page.evaluate("__lamplighter.pixelOf(9)")
    page.mouse.move(x + 60, y)
    page.mouse.down()
    for turn in range(1, 17):
        angle = 2 * math.pi * turn / 16
        page.mouse.move(x + 60 * math.cos(angle), y + 60 * math.sin(angle))
    page.mouse.up()
    expect(page.get_by_test_id("gathered-count")).to_contain_text("selected")


@pytest.mark.tour
def test_on_a_phone_the_lowered_card_leaves_the_map_visible_and_the_grip_raises_it(
    run: FinishedRun, chromium: Browser
) -> None:
    phone = chromium.new_page(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    phone.goto(run.url_with("word=hotdog"))
    expect(phone.get_by_test_id("neighbours").locator("li")).to_have_count(4)
    # Rows this low are text: a finger could not hit one of them.
    expect(phone.get_by_test_id("neighbours").get_by_role("button")).to_have_count(0)
    panel = phone.get_by_test_id("inspector")
    box = panel.bounding_box()
    assert box is not None
    # A title, four neighbours, and the actions for the word.
    assert box["height"] == 225
    last = phone.get_by_test_id("neighbours").locator("li").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= box["y"] + box["height"]
    # The whole lowered card is the grip.
    phone.touchscreen.tap(last["x"] + 30, last["y"] + 8)
    expect(phone.get_by_test_id("compare-maps")).to_be_visible()
    expect(phone.get_by_test_id("neighbours").get_by_role("button")).to_have_count(4)
    phone.close()
