"""Two maps side by side in the browser: the content of the second, and the shared selection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.fixtures import FinishedRun, sound_page
from tests.browser.map_page import write_maps
from tests.browser.pages import choose_entry, close_menu, open_view, wait_for
from tests.support.application import Application
from tests.support.folders import FakeTrainer, V, make_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]

CITIES = "document.querySelectorAll('[data-testid=city]').length"
BOXES = "[...document.querySelectorAll('.city')].map((one) => one.getBoundingClientRect().toJSON())"
VIEWS = """[...document.querySelectorAll('.city .axes')].map(({ _fullLayout: it }) =>
    it ? [...it.xaxis.range, ...it.yaxis.range] : [0, 0, 0, 0])"""
"""The area that each map shows, in map units."""
LIGHT = """(place) => {
    const names = document.querySelectorAll('.city .names')[place];
    const { data } = names.getContext('2d').getImageData(0, 0, names.width, names.height);
    let lamp = 0;
    for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 60 && data[i] > 240 && data[i + 1] > 215 && data[i + 2] < 215) lamp += 1;
    return lamp;
}"""
"""Pixels of a map's labels and rings in the colour of selected or ringed tokens."""


@dataclass
class TwoRuns:
    """Two finished runs on one server."""

    server: Application
    first: str
    second: str


@pytest.fixture(scope="module")
def two_runs(finished_run: FinishedRun) -> TwoRuns:
    ids: list[str] = []
    for _ in range(2):
        trainer = FakeTrainer(make_run(RunStore(finished_run.server.runs))).begin().train(30)
        write_maps(trainer.run.layouts_path, V, (10, 20, 30), ("animals", "marks"))
        trainer.end()
        ids.append(trainer.run.id)
    return TwoRuns(finished_run.server, *ids)


@pytest.fixture(scope="module")
def page(two_runs: TwoRuns, chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium) as opened:
        opened.goto(f"{two_runs.server.url}/?run={two_runs.first}&folded=1")
        wait_for(opened, "window.__lamplighter?.shown && __lamplighter.beat")
        yield opened


def test_a_key_opens_and_closes_the_other_view_beside(page: Page) -> None:
    assert page.evaluate(CITIES) == 1
    choose_entry(page, "toggleSecondMap")
    expect(page.get_by_test_id("beside-said")).to_contain_text("Step 30 · Linear")
    wait_for(page, "location.search.includes('beside=view:linear')")
    left, right = page.evaluate(BOXES)
    assert left["right"] <= right["left"] + 1
    assert left["width"] == pytest.approx(right["width"], abs=1)
    # This run's two layouts are identical, so all neighbours agree.
    expect(page.get_by_test_id("agreement")).to_contain_text(
        "100\u00a0% of the 10 nearest words are the same"
    )
    choose_entry(page, "toggleSecondMap")
    wait_for(page, f"{CITIES} === 1")
    wait_for(page, "!location.search.includes('beside')")


def test_another_step_has_its_own_caption_and_light(page: Page) -> None:
    open_view(page)
    page.get_by_test_id("beside-open").click()
    close_menu(page)
    page.get_by_test_id("beside-kind").select_option("step")
    page.get_by_test_id("beside-step").fill("12")
    page.get_by_test_id("beside-step").press("Enter")
    expect(page.get_by_test_id("beside-said")).to_contain_text("Step 12")
    expect(page.get_by_test_id("beside-said")).to_contain_text("map of step 10")
    expect(page.get_by_test_id("first-caption")).to_contain_text("Step 30")
    wait_for(page, "location.search.includes('beside=step:12')")


def views(page: Page) -> tuple[list[float], list[float]]:
    first, second = page.evaluate(VIEWS)
    return first, second


def rested(page: Page) -> tuple[list[float], list[float]]:
    """Wait until both views are still. Returns both."""
    before = views(page)
    for _ in range(50):
        page.wait_for_timeout(300)
        now = views(page)
        if now == before and all(width(view) for view in now):
            return now
        before = now
    raise AssertionError("the maps do not come to rest")


def width(view: list[float]) -> float:
    return view[1] - view[0]


def test_two_steps_zoom_and_move_together_while_linked(page: Page, two_runs: TwoRuns) -> None:
    page.goto(f"{two_runs.server.url}/?run={two_runs.first}&folded=1&beside=step:12")
    wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat")
    together = page.get_by_test_id("together")
    expect(together).to_be_checked()
    home, _ = rested(page)
    choose_entry(page, "zoomIn")
    wait_for(page, f"({VIEWS}).every(([x0, x1]) => x1 - x0 < {0.8 * width(home)})")
    first, second = rested(page)
    assert first == pytest.approx(second), "the second map looks where the first does"
    # Scrolling or dragging on the second map moves the first too.
    box = page.evaluate(BOXES)[1]
    page.mouse.move(box["left"] + box["width"] / 2, box["top"] + box["height"] / 2)
    page.mouse.wheel(0, -300)
    wait_for(page, f"({VIEWS}).every(([x0, x1]) => x1 - x0 < {0.95 * width(first)})")
    closer, second = rested(page)
    assert closer == pytest.approx(second)
    page.mouse.down()
    page.mouse.move(box["left"] + box["width"] / 2 + 120, box["top"] + box["height"] / 2, steps=6)
    page.mouse.up()
    dragged, second = rested(page)
    assert dragged == pytest.approx(second)
    assert dragged[0] < closer[0] - 0.1 * width(closer)
    page.mouse.move(640, 20)
    choose_entry(page, "showWholeMap")
    wait_for(page, f"({VIEWS}).every(([x0, x1]) => x1 - x0 > {0.9 * width(home)})")
    # Unlinked, each map moves alone, and the page remembers that.
    together.focus()
    page.keyboard.press("Space")
    wait_for(page, "location.search.includes('apart=1')")
    _, before = rested(page)
    page.get_by_test_id("beside-close").focus()
    choose_entry(page, "zoomIn")
    wait_for(page, f"(([x0, x1]) => x1 - x0 < {0.8 * width(home)})(({VIEWS})[0])")
    apart, second = rested(page)
    assert second == before
    # Linked again, the second map returns to the view of the first.
    together.focus()
    page.keyboard.press("Space")
    wait_for(page, f"Math.abs(({VIEWS})[1][0] - {apart[0]}) < 1e-6")
    # A map of another run has no such coordinates to share.
    page.get_by_test_id("beside-kind").select_option("run")
    expect(together).to_have_count(0)
    page.get_by_test_id("beside-close").click()
    page.goto(f"{two_runs.server.url}/?run={two_runs.first}&folded=1")
    wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat")
    choose_entry(page, "toggleSecondMap")


def test_two_fingers_on_the_lower_map_move_the_upper_one_too(two_runs: TwoRuns, chromium: Browser) -> None:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    phone = context.new_page()
    phone.goto(f"{two_runs.server.url}/?run={two_runs.first}&beside=step:20&folded=1")
    wait_for(phone, "window.__lamplighter?.shown && __lamplighter.beat")
    expect(phone.get_by_test_id("together")).to_be_checked()
    home, _ = rested(phone)
    box = phone.evaluate(BOXES)[1]
    x, y = box["left"] + box["width"] / 2, box["top"] + 0.6 * box["height"]
    fingers = context.new_cdp_session(phone)

    def touch(kind: str, apart: float) -> None:
        points = [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}] if kind != "touchEnd" else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 40)
    for apart in (60, 80, 100, 120):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    wait_for(phone, f"({VIEWS}).every(([x0, x1]) => x1 - x0 < {0.5 * width(home)})")
    first, second = rested(phone)
    assert first == pytest.approx(second)
    context.close()


def test_selected_and_hovered_words_are_ringed_on_the_other_map(page: Page, two_runs: TwoRuns) -> None:
    page.get_by_test_id("beside-kind").select_option("run")
    expect(page.get_by_test_id("beside-run")).to_have_value(two_runs.second)
    expect(page.get_by_test_id("agreement")).to_be_visible()
    before = page.evaluate(LIGHT, 1)
    left = page.evaluate(BOXES)[0]
    x, y = page.evaluate("__lamplighter.pixelOf(17)")
    page.mouse.move(left["x"] + x, left["y"] + y)
    page.wait_for_timeout(300)
    pointed = page.evaluate(LIGHT, 1)
    assert pointed > before
    page.mouse.down()
    page.mouse.up()
    wait_for(page, "location.search.includes('word=word7')")
    page.mouse.move(640, 20)
    page.wait_for_timeout(300)
    assert page.evaluate(LIGHT, 1) > before
    page.get_by_test_id("beside-close").click()
    wait_for(page, f"{CITIES} === 1")


def test_a_link_opens_it_below_on_a_phone_and_an_invalid_one_is_ignored(
    two_runs: TwoRuns, chromium: Browser
) -> None:
    phone = chromium.new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    phone.goto(f"{two_runs.server.url}/?run={two_runs.first}&beside=step:20")
    expect(phone.get_by_test_id("beside-said")).to_contain_text("Step 20")
    # "Then" is now the upper map.
    below, above = phone.evaluate(BOXES)
    assert above["bottom"] <= below["top"] + 1
    assert above["width"] == below["width"] == 390
    phone.goto(f"{two_runs.server.url}/?run={two_runs.first}&beside=step:-1")
    wait_for(phone, "window.__lamplighter?.shown")
    assert phone.evaluate(CITIES) == 1
    # A step before the first map gets a message, not a guess.
    phone.goto(f"{two_runs.server.url}/?run={two_runs.first}&beside=step:3")
    expect(phone.get_by_test_id("beside-said")).to_contain_text(
        "There is no map of this step: the map starts at step 10."
    )
    phone.close()


WRITTEN_OVER = """() => [...document.querySelectorAll('.city')].flatMap((city) => {
    const names = city.querySelector('.names');
    const map = city.getBoundingClientRect();
    const rail = document.querySelector('.rail [role=group]').getBoundingClientRect();
    if (rail.left >= map.right) return [];
    const ratio = names.width / map.width;
    const { data } = names.getContext('2d').getImageData(
        (rail.left - map.left) * ratio, (rail.top - map.top) * ratio, rail.width * ratio, rail.height * ratio);
    const inked = data.filter((_, i) => i % 4 === 3 && data[i] > 40).length;
    return inked ? [`${inked} pixels under the tools`] : [];
})"""
"""Names drawn beneath the tools at the right edge."""


@pytest.mark.parametrize("query", ["", "&panel=step", "&beside=step:20", "&beside=step:20&panel=step"])
def test_names_do_not_overlap_the_map_tools(page: Page, two_runs: TwoRuns, query: str) -> None:
    page.goto(f"{two_runs.server.url}/?run={two_runs.first}{query}")
    wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat")
    wait_for(page, "[...document.querySelectorAll('.city')].every((one) => one.querySelector('.nsewdrag'))")
    first = page.evaluate(BOXES)[0]
    x = first["left"] + 0.3 * first["width"]
    # Raise the words at the right edge to the height of the tools, then drag them beneath these in small
    # steps.
    for dx, dy in [(-10, -150), *[(9, 0)] * 14]:
        page.mouse.move(x, 470)
        page.mouse.down()
        page.mouse.move(x + dx, 470 + dy, steps=2)
        page.mouse.up()
        page.wait_for_timeout(250)
        # The tools appear once the whole map is no longer in view.
        wait_for(page, "document.querySelector('.rail [role=group]')")
        assert page.evaluate(WRITTEN_OVER) == []
