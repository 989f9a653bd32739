"""Time on the page: dragged through, a step on and back, played on from there, by a link, and after a lost line."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from lamplighter.runfolder.shelf import Shelf
from tests.application import Application
from tests.browser.cities import draw
from tests.browser.pages import wait_for
from tests.unit.serving.folders import FakeTrainer, V, make_run

pytestmark = pytest.mark.browser

LAST = 120
EVERY = 10
DESKTOP: ViewportSize = {"width": 1280, "height": 720}
SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
    constructor(...given) { super(...given); window.sockets.push(this) }
};
"""
"""Remembers the sockets that the page opens, so that a test can cut them."""
WATCH = """() => {
    const seen = (window.seen = []);
    const look = () => {
        const told = document.querySelector('[data-testid=told]');
        const { beat, shown } = __lamplighter;
        if (told) seen.push({
            telling: told.dataset.telling, said: told.textContent,
            step: beat.step, map: shown.step,
        });
        if (window.seen !== seen) clearInterval(timer);
    };
    const timer = setInterval(look, 40);
}"""
"""Writes down, again and again, what a step told in two beats shows: a test that asks may come too late."""


@dataclass
class Town:
    """A finished run, and a map for every tenth of its steps."""

    house: Application
    run: str

    def rows(self, step: int) -> list[int]:
        """The rows of a step's batch, as they were recorded."""
        return lit(self.house, self.run, step)

    def at(self, query: str) -> str:
        """The address of a moment of it."""
        return f"{self.house.url}/?run={self.run}&{query}"


def lit(house: Application, run: str, step: int) -> list[int]:
    record = house.get(f"/api/runs/{run}/steps/{step}")
    rows = sorted(token for token, _ in record["gradient"])
    assert len(rows) == record["batch_rows"]
    return rows


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Application(tmp_path_factory.mktemp("runs"), "serve", "--no-workers") as house:
        trainer = FakeTrainer(make_run(Shelf(house.runs), steps=LAST)).begin().train(LAST)
        draw(trainer.run.layouts_path, V, range(0, LAST + 1, EVERY), ("animals", "marks"))
        trainer.end()
        yield Town(house, trainer.run.id)


@pytest.fixture(scope="module")
def page(town: Town, chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page(viewport=DESKTOP)
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(f"{error}\n{error.stack}"))
    opened.goto(town.at("folded=1"))
    wait_for(opened, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")
    yield opened
    opened.close()
    assert not faults


def shows(page: Page, town: Town, step: int) -> None:
    """All of the page is at one step of the record."""
    wait_for(page, f"__lamplighter.beat?.step === {step}", 10, every=0.02)
    assert page.evaluate("[...__lamplighter.beat.ids].sort((a, b) => a - b)") == town.rows(step)
    assert page.evaluate("__lamplighter.step") == step
    wait_for(page, f"__lamplighter.shown.step === {step - step % EVERY}", 10, every=0.02)
    expect(page.get_by_test_id("step")).to_have_text(str(step))
    expect(page.get_by_test_id("scrubber")).to_have_attribute("aria-valuenow", str(step))


def hand(page: Page, step: int, height: float = 0.5) -> None:
    """Move the pointer to a step of the timeline; to its foot, middle or top: 1, 0.5, 0."""
    axis: dict[str, float] = wait_for(
        page, "document.querySelector('[data-testid=timeline] .nsewdrag')?.getBoundingClientRect().toJSON()"
    )
    page.mouse.move(axis["left"] + axis["width"] * step / LAST, axis["top"] + axis["height"] * height)


def beats(page: Page) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was seen in the first and in the second beat."""
    wait_for(page, "window.seen.at(-1)?.telling === 'move'")
    seen: list[dict[str, Any]] = page.evaluate(
        "() => { const { seen } = window; window.seen = null; return seen }"
    )
    light = [one for one in seen if one["telling"] == "light"]
    assert seen[: len(light)] == light
    return light, seen[len(light) :]


def test_in_the_present_the_keys_of_time_are_the_browsers(page: Page) -> None:
    page.evaluate("addEventListener('keydown', (event) => { window.taken = event.defaultPrevented })")
    for key, taken in (("Home", False), ("End", False), ("ArrowLeft", False), ("m", True), ("m", True)):
        page.keyboard.press(key)
        assert page.evaluate("window.taken") == taken, key
    assert page.evaluate(f"__lamplighter.beat.step === {LAST}")
    assert "at=" not in page.url


def test_dragging_shows_each_position_at_once(page: Page, town: Town) -> None:
    hand(page, LAST)
    page.mouse.down()
    still = page.evaluate("__lamplighter.glided")
    # Out of the timeline too: who has taken hold of the handle need not aim.
    for step, height in ((100, 0.5), (61, 0.5), (33, -3), (32, 0.2), (7, 0.9), (95, 0.5)):
        hand(page, step, height)
        shows(page, town, step)
    assert page.evaluate("__lamplighter.glided") == still
    page.mouse.up()
    wait_for(page, "location.search.includes('at=95')")
    expect(page.get_by_test_id("standing")).to_contain_text("paused at step 95 · the map is of step 90")
    # Let go of, it stays.
    hand(page, 20)
    page.wait_for_timeout(200)
    shows(page, town, 95)


def test_who_drags_is_shown_what_is_there_until_the_rest_comes(town: Town, chromium: Browser) -> None:
    page = chromium.new_page(viewport=DESKTOP)
    held: list[Route] = []
    # The light of the steps 65 to 128 does not come.
    page.route(re.compile(r"/steps\?from=65&"), lambda route: held.append(route))
    page.goto(town.at("folded=1&at=40"))
    shows(page, town, 40)
    # What is likely to be wanted next was asked for meanwhile.
    page.wait_for_timeout(300)
    hand(page, 50)
    page.mouse.down()
    hand(page, 60)
    wait_for(page, "__lamplighter.beat.step === 60 && __lamplighter.shown.step === 60")
    hand(page, 100)
    # The last step on the way whose light is there, by its own number; the handle is where the hand is.
    wait_for(page, "__lamplighter.beat.step === 64")
    assert page.evaluate("[...__lamplighter.beat.ids].sort((a, b) => a - b)") == town.rows(64)
    assert page.evaluate("__lamplighter.shown.step") == 60
    expect(page.get_by_test_id("step")).to_have_text("64")
    expect(page.get_by_test_id("scrubber")).to_have_attribute("aria-valuenow", "100")
    for route in held:
        route.continue_()
    page.unroute_all()
    shows(page, town, 100)
    page.mouse.up()
    shows(page, town, 100)
    page.close()


def test_a_second_finger_neither_moves_the_handle_nor_lets_go_of_it(page: Page, town: Town) -> None:
    hand(page, 30)
    page.mouse.down()
    shows(page, town, 30)
    page.evaluate("""() => {
        const grip = document.querySelector('[data-testid=scrubber]');
        const { right, top } = grip.getBoundingClientRect();
        for (const kind of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'])
            grip.dispatchEvent(new PointerEvent(kind, {
                pointerId: 77, pointerType: 'touch', isPrimary: false, clientX: right, clientY: top + 5,
            }));
    }""")
    page.wait_for_timeout(200)
    shows(page, town, 30)
    hand(page, 95)
    shows(page, town, 95)
    page.mouse.up()


def test_a_server_that_is_gone_while_somebody_drags_is_asked_now_and_then(
    town: Town, chromium: Browser
) -> None:
    page = chromium.new_page(viewport=DESKTOP)
    refused: list[float] = []

    def refuse(route: Route) -> None:
        refused.append(time.monotonic())
        route.abort("connectionrefused")

    page.route(re.compile(r"/steps\?from=65&"), refuse)
    page.goto(town.at("folded=1&at=40"))
    shows(page, town, 40)
    hand(page, 45)
    page.mouse.down()
    shows(page, town, 45)
    hand(page, 100)
    expect(page.get_by_test_id("past-problem")).to_have_text("The server does not answer.")
    begun = time.monotonic()
    page.wait_for_timeout(4_000)
    # Every second and a half, not as fast as it refuses; though something is there to be shown, and the hand moves.
    assert 1 <= sum(one > begun for one in refused) <= 6
    before = len(refused)
    for step in (101, 103, 105, 107, 109, 111):
        hand(page, step)
        page.wait_for_timeout(50)
    assert len(refused) - before <= 2
    # What is there is shown meanwhile.
    hand(page, 20)
    shows(page, town, 20)
    hand(page, 100)
    page.unroute_all()
    shows(page, town, 100)
    expect(page.get_by_test_id("past-problem")).to_have_count(0)
    page.mouse.up()
    page.close()


def test_a_map_that_is_not_kept_any_more_is_looked_for_in_a_new_list(town: Town, chromium: Browser) -> None:
    page = chromium.new_page(viewport=DESKTOP)
    lists: list[str] = []
    page.on("request", lambda one: lists.append(one.url) if "layouts?method=umap" in one.url else None)
    page.route(
        re.compile(r"/places\?"), lambda route: route.fulfill(status=404, json={"detail": "no such"}), times=1
    )
    page.goto(town.at("folded=1&at=40"))
    shows(page, town, 40)
    assert len(lists) == 2
    page.close()


def test_all_along_the_run_is_fetched_as_the_pointer_comes_near(town: Town, chromium: Browser) -> None:
    page = chromium.new_page(viewport=DESKTOP)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(town.at("folded=1"))
    wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")

    def begun(kind: str) -> set[int]:
        found = (re.search(rf"/{kind}\?from=(\d+)&.*format=frame", url) for url in asked)
        return {int(one[1]) for one in found if one}

    assert begun("places") == set()
    page.get_by_test_id("scrubber").hover()
    deadline = time.monotonic() + 10
    while (begun("steps"), begun("places")) != ({1, 65}, {0, 70}) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    # The light of 64 steps at once, and the maps that were made of them.
    assert begun("places") == {0, 70}
    assert begun("steps") == {1, 65}
    page.close()


def test_nothing_more_is_fetched_along_the_run_when_something_does_not_come(
    town: Town, chromium: Browser
) -> None:
    page = chromium.new_page(viewport=DESKTOP)
    page.goto(town.at("folded=1"))
    wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.abort("connectionrefused")

    page.route(re.compile("format=frame"), refuse)
    page.get_by_test_id("scrubber").hover()
    deadline = time.monotonic() + 10
    while not refused and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)
    # Three at a time were asked for.
    assert 1 <= len(refused) <= 3
    page.close()


def test_type_in_charts_grows_with_the_page(page: Page) -> None:
    size = (
        "parseFloat(getComputedStyle(document.querySelector('[data-testid=timeline] .xtick text')).fontSize)"
    )
    before = wait_for(page, size)
    page.set_viewport_size({"width": 3840, "height": 2160})
    wait_for(page, f"{size} === {2 * before}")
    page.set_viewport_size(DESKTOP)
    wait_for(page, f"{size} === {before}")


def test_the_handle_is_a_slider_for_the_keyboard(page: Page, town: Town) -> None:
    handle = page.get_by_test_id("scrubber")
    handle.focus()
    for key, step in (
        ("ArrowLeft", 94),
        ("Shift+ArrowLeft", 84),
        ("PageUp", 94),
        ("Shift+ArrowRight", 104),
        ("End", LAST),
        ("ArrowDown", LAST - 1),
    ):
        handle.press(key)
        shows(page, town, step)
    expect(handle).to_have_attribute(
        "aria-valuetext", re.compile(rf"step {LAST - 1} · loss 2\.50 nats · \d+ of {V} rows lit so far")
    )
    handle.press("Home")
    wait_for(page, "__lamplighter.step === 0 && __lamplighter.beat === null")
    # Before the first step no row was in a batch.
    expect(page.get_by_test_id("step")).to_have_text("0")
    assert page.evaluate("__lamplighter.shown.step") == 0


def test_a_step_forward_is_told_in_two_beats(page: Page, town: Town) -> None:
    page.goto(town.at("folded=1&at=69"))
    shows(page, town, 69)
    page.evaluate(WATCH)
    page.keyboard.press("ArrowRight")
    told = page.get_by_test_id("told")
    expect(told).to_have_attribute("data-telling", "move")
    shows(page, town, 70)
    light, move = beats(page)
    # First its light, on the map of before it; then the map of after it, by and by.
    assert {(one["step"], one["map"]) for one in light} == {(70, 60)}
    assert all("step 70, first the light" in one["said"] for one in light)
    assert {(one["step"], one["map"]) for one in move} == {(70, 70)}
    expect(told).to_contain_text("step 70, then the move")
    expect(told).to_contain_text("The map follows")
    # No map was made for the next one: that is said.
    page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("The map was drawn next at step 80")
    shows(page, town, 71)
    # Back there is nothing to tell.
    page.keyboard.press("ArrowLeft")
    shows(page, town, 70)
    expect(told).to_have_count(0)


def test_it_plays_on_from_there_and_l_returns(page: Page, town: Town) -> None:
    page.get_by_test_id("step-back").click()
    shows(page, town, 69)
    page.get_by_test_id("speed").select_option("10")
    page.get_by_test_id("resume-replay").click()
    wait_for(page, "location.search.includes('from=69')")
    wait_for(page, "__lamplighter.beat.step > 69", every=0.02)
    assert page.evaluate("__lamplighter.beat.step") < 90
    page.keyboard.press("Space")
    held = page.get_by_test_id("standing")
    expect(held).to_contain_text("paused at step")
    stood = int(wait_for(page, "new URLSearchParams(location.search).get('at')"))
    assert 69 < stood < 100
    shows(page, town, stood)
    page.keyboard.press("l")
    wait_for(page, f"__lamplighter.beat.step === {LAST} && __lamplighter.step === {LAST}")
    wait_for(page, f"__lamplighter.shown.step === {LAST}")
    expect(held).to_have_count(0)
    wait_for(page, "!/at=|from=/.test(location.search)")


def test_a_link_stands_there_without_playing_and_moves_nothing(town: Town, chromium: Browser) -> None:
    page = chromium.new_page(viewport=DESKTOP, reduced_motion="reduce")
    page.goto(town.at("folded=1&at=59"))
    shows(page, town, 59)
    page.wait_for_timeout(400)
    assert page.evaluate("__lamplighter.step") == 59
    expect(page.get_by_test_id("connection")).to_contain_text("paused")
    # The same two beats where no motion is wanted, and no frame between.
    page.evaluate(WATCH)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("told")).to_have_attribute("data-telling", "move")
    shows(page, town, 60)
    light, _ = beats(page)
    assert {(one["step"], one["map"]) for one in light} == {(60, 50)}
    assert page.evaluate("__lamplighter.glided") == 0
    page.goto(town.at("folded=1&at=5000"))
    expect(page.get_by_test_id("past-problem")).to_contain_text("5000")
    page.close()


def test_live_again_after_a_lost_line_without_a_reload(town: Town, chromium: Browser) -> None:
    trainer = FakeTrainer(make_run(Shelf(town.house.runs), steps=400)).begin().train(30)
    run = trainer.run
    draw(run.layouts_path, V, (0, 10, 20, 30), ("animals", "marks"))
    context = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce")
    context.add_init_script(SOCKETS)
    page = context.new_page()
    try:
        page.goto(f"{town.house.url}/?run={run.id}&folded=1")
        wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat?.step === 30")
        trainer.train(1)
        wait_for(page, "__lamplighter.beat.step === 31")
        page.evaluate("window.sameDocument = true")
        away(page)
        trainer.train(40)
        page.wait_for_timeout(500)
        assert page.evaluate("__lamplighter.step") == 31
        context.set_offline(False)
        caught_up(page, town.house, run.id, 71)
        # Standing in the past meanwhile: that stays, and the way back leads to the newest.
        page.keyboard.press("Space")
        page.keyboard.press("Shift+ArrowLeft")
        wait_for(page, "__lamplighter.beat.step === 61")
        away(page)
        trainer.train(9)
        page.wait_for_timeout(200)
        context.set_offline(False)
        expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "open")
        assert page.evaluate("__lamplighter.beat.step") == 61
        # Training goes back to an earlier step: what is stood at does not count any more.
        trainer.again_from(50).train(20)
        expect(page.get_by_test_id("standing")).to_contain_text("step 61 of attempt 1 does not count")
        wait_for(
            page,
            f"String([...__lamplighter.beat.ids].sort((a, b) => a - b)) === '{joined(town.house, run.id, 61)}'",
        )
        page.keyboard.press("l")
        caught_up(page, town.house, run.id, 70)
        assert page.evaluate("window.sameDocument")
    finally:
        trainer.crash()
        context.close()


def away(page: Page) -> None:
    """No network, and the socket that there was is gone."""
    page.context.set_offline(True)
    page.evaluate("window.sockets.forEach((socket) => socket.close())")
    expect(page.get_by_test_id("connection")).not_to_have_attribute("data-state", "open")


def joined(house: Application, run: str, step: int) -> str:
    return ",".join(map(str, lit(house, run, step)))


def caught_up(page: Page, house: Application, run: str, step: int) -> None:
    """The newest step is lit, and all that was missed is counted and drawn."""
    wait_for(page, f"__lamplighter.beat?.step === {step} && __lamplighter.step === {step}", 15)
    series = page.get_by_test_id("timeline").locator(".chart")
    expect(series).to_have_attribute("aria-label", re.compile(rf"at step {step}\b"))
    ever = house.get(f"/api/runs/{run}/steps?from=1&most=2000")["items"][-1]["ever_rows"]
    expect(page.get_by_test_id("scrubber")).to_have_attribute(
        "aria-valuetext", re.compile(rf"step {step} · .* · {ever} of {V} rows lit so far")
    )
