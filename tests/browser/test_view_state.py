"""The view: every key of the address by clicking and by link, and Back and Forward as undo and redo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.vocabulary import Vocabulary
from tests.application import Application
from tests.browser.fixtures import DESKTOP, LAST, FinishedRun, point_at_step
from tests.browser.map_page import write_maps
from tests.browser.pages import close_menu, colour_by, open_panel, open_view, show_level, show_map, wait_for
from tests.unit.serving.folders import TOKENS, FakeTrainer, V, make_run

pytestmark = pytest.mark.browser

STEPS = 60
TWICE = "dog"
"""A text that two tokens of the second run have."""
HOSTILE = '<img src=x onerror="window.hit = 1">, \\"'
"""A text with a comma and a backslash, which lists of texts escape, and markup."""
DOG, OTHER_DOG, EVIL = 1, 20, 21
VIEW = "Object.fromEntries(new URLSearchParams(location.search))"
DRAWN = "window.__lamplighter?.shown && __lamplighter.beat"


@dataclass
class TwoRuns:
    """A run, and another one with ambiguous and hostile tokens that was also laid out anew."""

    server: Application
    first: str
    second: str

    def link(self, query: str = "", run: str | None = None) -> str:
        """Return the address of a view of the second run, or of another one."""
        return f"{self.server.url}/?run={run or self.second}{query}"


@pytest.fixture(scope="module")
def runs(finished_run: FinishedRun) -> TwoRuns:
    server = finished_run.server
    run = make_run(RunStore(server.runs), steps=STEPS, prepared=False)
    tokens = [*TOKENS]
    tokens[OTHER_DOG], tokens[EVIL] = TWICE, HOSTILE
    ids = np.random.default_rng(0).integers(0, V, size=500).astype(np.uint32)
    classes = {"animals": (1, 2, 3, 5), "marks": (6, 7)}
    run.write_corpus(ids, Vocabulary(tuple(tokens), np.arange(V, 0, -1), classes), "{}")
    trainer = FakeTrainer(run).begin().train(STEPS)
    for path in (run.layouts_path, run.relayouts_path):
        write_maps(path, V, range(0, STEPS + 1, 10), ("animals", "marks"))
    trainer.end()
    return TwoRuns(server, finished_run.run, run.id)


@pytest.fixture
def page(chromium: Browser, runs: TwoRuns) -> Iterator[Page]:
    """Open the second run with a history of its own; fail if the page reports an error."""
    opened = chromium.new_page(viewport=DESKTOP, reduced_motion="reduce")
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(f"{error}\n{error.stack}"))
    opened.goto(runs.link())
    wait_for(opened, DRAWN)
    yield opened
    opened.close()
    assert not faults


def view(page: Page) -> dict[str, str]:
    """Return the keys of the address but for the run."""
    keys: dict[str, str] = page.evaluate(VIEW)
    return {key: word for key, word in keys.items() if key != "run"}


def wait_for_view(page: Page, **keys: str | None) -> None:
    """Wait until keys of the address hold these words; None: until they are gone."""
    for key, word in keys.items():
        wanted = "null" if word is None else f"'{word}'"
        wait_for(page, f"new URLSearchParams(location.search).get('{key}') === {wanted}", 10)


def expect_same_after_loading(page: Page) -> None:
    """Load the address in the bar, and check that the page keeps it."""
    page.wait_for_timeout(400)
    before = view(page)
    page.goto(page.url)
    wait_for(page, "window.__lamplighter?.shown")
    page.wait_for_timeout(1_200)
    assert view(page) == before


def choose_word(page: Page, word: str, field: str = "search") -> None:
    page.get_by_test_id(field).fill(word)
    found = "found" if field == "search" else f"{field}-found"
    page.get_by_test_id(found).filter(has_text=word).first.click()


def press(page: Page, key: str) -> None:
    """Press a shortcut where no field or list takes the key."""
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)


def drag_map(page: Page, dx: float, dy: float, x: float = 500) -> None:
    wait_for(page, "document.querySelector('.city .nsewdrag')")
    page.mouse.move(x, 330)
    page.mouse.down()
    page.mouse.move(x + dx, 330 + dy, steps=8)
    page.mouse.up()


def entries(page: Page) -> int:
    return page.evaluate("history.length")


@pytest.mark.tour
def test_tokens_are_in_the_address_by_their_texts(page: Page) -> None:
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
    # Its card takes the place of the lab, which the key opens where it was left, and closes.
    wait_for_view(page, panel="district")
    page.keyboard.press("i")
    wait_for_view(page, panel="map")
    page.keyboard.press("i")
    wait_for_view(page, panel=None)
    expect(page.get_by_test_id("inspector")).to_have_count(0)
    choose_word(page, "cat")
    wait_for_view(page, word="cat")
    show_level(page, "watch")
    wait_for_view(page, folded="1")
    expect_same_after_loading(page)


@pytest.mark.tour
def test_the_skyline_and_the_second_map_are_in_the_address(page: Page) -> None:
    open_view(page)
    page.get_by_test_id("beside-open").click()
    close_menu(page)
    wait_for_view(page, beside="view:linear")
    page.get_by_test_id("beside-kind").select_option("step")
    page.get_by_test_id("together").uncheck()
    wait_for_view(page, apart="1", beside=f"step:{STEPS}")
    show_map(page, "skyline")
    page.get_by_test_id("height").select_option("norm")
    wait_for_view(page, map="skyline", height="norm")
    expect_same_after_loading(page)


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
def test_a_rule_is_in_the_address_of_a_set_that_is_too_large(page: Page, runs: TwoRuns) -> None:
    # There are fewer tokens than a link holds, so a rule comes only from a link.
    page.goto(runs.link("&gather=class:0&panel=gathered"))
    expect(page.get_by_test_id("gathered-count")).to_have_text("4 words selected")
    wait_for_view(page, gather=None, words="Dog,dogs,cat", tokens=str(DOG))
    expect_same_after_loading(page)


@pytest.mark.tour
def test_the_place_on_the_map_is_in_the_address_and_on_another_map_too(page: Page) -> None:
    wait_for(page, "document.querySelector('.city .nsewdrag')")
    pixel = "__lamplighter.pixelOf(9)"
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -500)
    look = wait_for(page, "new URLSearchParams(location.search).get('look')")
    before = page.evaluate(pixel)
    expect_same_after_loading(page)
    wait_for(page, f"Math.hypot(...{pixel}.map((x, i) => x - {before}[i])) < 6", 10)
    # The other map has other units, but parts of its extent.
    show_map(page, "linear")
    wait_for(page, "__lamplighter.shown.method === 'linear'")
    wait_for_view(page, map="linear", look=look)
    wait_for(page, f"Math.hypot(...{pixel}.map((x, i) => x - {before}[i])) < 6", 10)
    page.keyboard.press("h")
    wait_for_view(page, look=None)


@pytest.mark.tour
def test_a_district_is_looked_at_until_the_viewer_moves_the_map(page: Page, runs: TwoRuns) -> None:
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
    # A district that there is not shows the whole map.
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
    page.keyboard.press(",")
    wait_for_view(page, at="50", beat="1")
    told = page.get_by_test_id("told")
    expect(told).to_have_attribute("data-telling", "light")
    wait_for(page, "__lamplighter.beat?.step === 50 && __lamplighter.shown.step === 40")
    page.wait_for_timeout(2_000)
    expect(told).to_have_attribute("data-telling", "light")
    expect_same_after_loading(page)
    wait_for(page, "__lamplighter.beat?.step === 50 && __lamplighter.shown.step === 40")
    page.keyboard.press(",")
    wait_for_view(page, at="50", beat=None)
    expect(told).to_have_attribute("data-telling", "move")
    wait_for(page, "__lamplighter.shown.step === 50")
    open_panel(page, "map")
    # The smoothed maps are the default of this run, so the address says only that others are shown.
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
def test_all_that_is_shown_of_the_past_is_of_one_set_of_maps(
    page: Page, runs: TwoRuns, query: str, *, smoothed: bool
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.goto(runs.link(f"{query}&panel=map"))
    wait_for(page, "window.__lamplighter?.shown")
    expect(page.get_by_test_id(f"set-{'again' if smoothed else 'live'}")).to_be_checked()
    expect_same_after_loading(page)
    past = [url for url in asked if "/places?" in url or "layouts?" in url or "&from=" in url]
    past = [url for url in past if "/api/" in url and ("/live?" not in url or "speed=" in url)]
    assert all(("set=again" in url) is smoothed for url in past), past
    # The trails are asked for after the hand has rested.
    assert any("token_ids=1&" in url for url in past) is ("trails" in query)


def facts(page: Page) -> dict[str, Any]:
    """Return the address, and what the page shows of it."""
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
    """Check two pages' facts. A place in the address has four digits, so a pixel may differ by their rounding."""
    assert {**shown, "place": None} == {**expected, "place": None}
    assert shown["place"] == pytest.approx(expected["place"], abs=2)


@pytest.mark.tour
def test_ten_back_and_ten_forward_undo_and_redo_ten_choices(page: Page, runs: TwoRuns) -> None:
    choices: list[Callable[[], Any]] = [
        lambda: choose_word(page, "cat"),
        lambda: press(page, "m"),
        lambda: colour_by(page, "frequency"),
        lambda: press(page, "Space"),
        lambda: press(page, "Shift+ArrowLeft"),
        lambda: page.get_by_test_id("level-lab").click(),
        lambda: press(page, "b"),
        lambda: press(page, "i"),
        # The first of two maps: the other has its own view here, because the two do not share a space.
        lambda: drag_map(page, 80, -40, x=250),
        lambda: press(page, "l"),
    ]
    start = entries(page)
    seen = [facts(page)]
    for choose in choices:
        choose()
        seen.append(facts(page))
    assert entries(page) == start + len(choices)
    assert len({one["address"] for one in seen}) == len(seen)
    for before in reversed(seen[:-1]):
        page.go_back(wait_until="commit")
        assert_same(facts(page), before)
    for after in seen[1:]:
        page.go_forward(wait_until="commit")
        assert_same(facts(page), after)
    assert entries(page) == start + len(choices)


def test_a_drag_a_scrub_and_a_key_held_down_are_one_entry_each(page: Page, runs: TwoRuns) -> None:
    start = entries(page)
    drag_map(page, 120, 30)
    wait_for(page, "location.search.includes('look=')")
    assert entries(page) == start + 1
    point_at_step(page, LAST // 4)
    page.mouse.down()
    for step in (30, 24, 18, 12):
        point_at_step(page, step)
        page.wait_for_timeout(300)
    assert "at=" not in page.url, "the entry is made when the scrub ends"
    page.mouse.up()
    wait_for(page, "location.search.includes('at=')")
    assert entries(page) == start + 2
    page.mouse.move(640, 20)
    at = int(view(page)["at"])
    page.evaluate("document.activeElement.blur()")
    page.keyboard.down("ArrowRight")
    for _ in range(5):
        page.keyboard.down("ArrowRight")
    page.keyboard.up("ArrowRight")
    wait_for_view(page, at=str(at + 6))
    assert entries(page) == start + 3
    page.go_back(wait_until="commit")
    wait_for_view(page, at=str(at))
    page.go_back(wait_until="commit")
    wait_for_view(page, at=None)


def test_what_moves_by_itself_is_no_entry(page: Page, runs: TwoRuns) -> None:
    page.goto(runs.link("&from=0&speed=200"))
    wait_for(page, "window.__lamplighter?.beat?.step > 5")
    start = entries(page)
    wait_for(page, f"__lamplighter.step === {STEPS}", 20)
    page.wait_for_timeout(600)
    assert entries(page) == start


def test_back_leads_into_another_run_and_forward_out_of_it(page: Page, runs: TwoRuns) -> None:
    choose_word(page, "cat")
    wait_for_view(page, word="cat")
    page.keyboard.press("Space")
    wait_for_view(page, at=str(STEPS))
    open_panel(page, "runs")
    page.locator(f"[data-run='{runs.first}']").get_by_test_id("open-run").click()
    wait_for_view(page, run=runs.first, word=None, at=None)
    wait_for(page, f"__lamplighter.beat?.step === {LAST}")
    page.go_back(wait_until="commit")
    wait_for_view(page, run=runs.second, word="cat", at=str(STEPS), panel="runs")
    wait_for(page, f"__lamplighter.beat?.step === {STEPS}")
    show_level(page, "explore")
    expect(page.get_by_test_id("token")).to_have_text("cat")
    expect(page.get_by_test_id("standing")).to_contain_text(f"Step {STEPS}")
    page.go_back(wait_until="commit")
    page.go_back(wait_until="commit")
    wait_for_view(page, panel=None, at=str(STEPS))
    page.go_forward(wait_until="commit")
    page.go_forward(wait_until="commit")
    expect(page.get_by_test_id("token")).to_have_text("cat")


@pytest.mark.tour
def test_links_with_ids_still_lead_there(page: Page, runs: TwoRuns) -> None:
    page.goto(runs.link("&token=5&tokens=2,3&pair=4&panel=token"))
    expect(page.get_by_test_id("token")).to_have_text(TOKENS[5])
    wait_for_view(
        page, word=TOKENS[5], words="Dog,dogs", **{"with": "hotdog"}, token=None, tokens=None, pair=None
    )
    expect_same_after_loading(page)


def test_the_id_stays_where_several_tokens_have_the_text(page: Page, runs: TwoRuns) -> None:
    page.goto(runs.link(f"&token={OTHER_DOG}&tokens={DOG},{OTHER_DOG},{EVIL}"))
    expect(page.get_by_test_id("token")).to_have_text(TWICE)
    wait_for_view(page, token=str(OTHER_DOG), word=None, tokens=f"{DOG},{OTHER_DOG}")
    assert page.evaluate("new URLSearchParams(location.search).get('words')") == HOSTILE.replace(
        "\\", "\\\\"
    ).replace(",", "\\,")
    expect_same_after_loading(page)
    page.goto(f"{page.url}&panel=gathered")
    expect(page.get_by_test_id("gathered-count")).to_have_text("3 words selected")
    # A link by that text leads to the first of them.
    page.goto(runs.link(f"&word={TWICE}"))
    wait_for_view(page, token=str(DOG), word=None)
    assert page.evaluate("window.hit === undefined")


def test_a_word_that_there_is_not_is_said_and_stays_until_another_is_chosen(
    page: Page, runs: TwoRuns
) -> None:
    page.goto(runs.link("&word=unicorn"))
    problem = page.get_by_test_id("token-problem")
    expect(problem).to_have_text("There is no token “unicorn” in this vocabulary.")
    wait_for(page, DRAWN)
    show_map(page, "linear")
    wait_for_view(page, map="linear", word="unicorn")
    expect_same_after_loading(page)
    choose_word(page, "cat")
    expect(problem).to_have_count(0)
    wait_for_view(page, word="cat")
    page.go_back(wait_until="commit")
    expect(problem).to_contain_text("unicorn")
    page.keyboard.press("Escape")
    wait_for_view(page, word=None)
    expect(problem).to_have_count(0)


def test_a_hostile_address_is_a_view_all_the_same(page: Page, runs: TwoRuns) -> None:
    evil = "%00%3Cimg%20src=x%20onerror=hit%3E%5C,%5C"
    page.goto(
        runs.link(f"&word={evil}&words={'x,' * 3_000}&with={'y' * 500}&look=1e9,-1,NaN&beat=7&set=x&at=-1")
    )
    wait_for(page, DRAWN)
    expect(page.get_by_test_id("token-problem")).to_contain_text("<img src=x onerror=hit>")
    page.wait_for_timeout(600)
    assert set(view(page)) == {"word"}
    page.goto(runs.link("&look=9,9,99999&at=5&from=3&beat=1"))
    wait_for(page, "window.__lamplighter?.beat?.step === 5")
    wait_for_view(page, look="1,1,10000", at="5", beat="1", **{"from": None})
    expect_same_after_loading(page)
    assert page.evaluate("window.hit === undefined")


def test_a_link_in_the_page_leads_to_its_view_without_loading(page: Page, runs: TwoRuns) -> None:
    page.evaluate(
        """(href) => {
        window.sameDocument = true;
        const link = Object.assign(document.createElement('a'), { href, id: 'shown', textContent: 'show' });
        link.style = 'position: fixed; z-index: 99; left: 50%; top: 50%';
        document.body.append(link);
    }""",
        f"?run={runs.first}&word=cat&at=70&map=linear",
    )
    page.locator("#shown").click()
    wait_for(page, "__lamplighter.beat?.step === 70 && __lamplighter.shown?.method === 'linear'")
    expect(page.get_by_test_id("token")).to_have_text("cat")
    page.go_back(wait_until="commit")
    wait_for_view(page, run=runs.second, word=None, at=None, map=None)
    assert page.evaluate("window.sameDocument")


def test_an_address_without_a_run_is_one_of_the_newest(runs: TwoRuns, page: Page) -> None:
    page.goto(f"{runs.server.url}/?word=cat&at=30&colour=frequency")
    wait_for(page, "window.__lamplighter?.beat?.step === 30")
    wait_for_view(page, word="cat", at="30", colour="frequency")
    expect(page.get_by_test_id("token")).to_have_text("cat")


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


def test_a_live_run_goes_back_to_the_present(page: Page, live_application: Application) -> None:
    run = live_application.only_run()
    page.goto(f"{live_application.url}/?run={run.id}")
    wait_for(page, DRAWN, 60)
    page.keyboard.press("Space")
    at = wait_for(page, "new URLSearchParams(location.search).get('at')")
    page.keyboard.press("ArrowLeft")
    wait_for_view(page, at=str(int(at) - 1))
    page.go_back(wait_until="commit")
    wait_for_view(page, at=at)
    page.go_back(wait_until="commit")
    wait_for_view(page, at=None)
    expect(page.get_by_test_id("standing")).to_have_count(0)
    page.go_forward(wait_until="commit")
    wait_for(page, f"__lamplighter.beat?.step === {at}")
