"""Scrubbing: the steps shown on the way, the requests for them, and requests that fail or hang."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.fixtures import DESKTOP, LAST, FinishedRun, expect_step, open_last_step, point_at_step
from tests.browser.pages import wait_for, wait_for_frame

pytestmark = [pytest.mark.browser, pytest.mark.tour]

AT_REST = (
    "() => { const was = window.glides; window.glides = __lamplighter.glided; return was === window.glides; }"
)


@pytest.fixture(scope="module")
def finished(finished_run: FinishedRun) -> FinishedRun:
    return finished_run


@pytest.fixture(scope="module")
def page(finished: FinishedRun, chromium: Browser) -> Iterator[Page]:
    with open_last_step(finished, chromium) as page:
        yield page


def test_dragging_shows_each_position_at_once(page: Page, finished: FinishedRun) -> None:
    point_at_step(page, LAST)
    page.mouse.down()
    point_at_step(page, 110)
    expect_step(page, finished, 110)
    # The map glides into the room that the lines about a past step leave.
    page.wait_for_function(AT_REST, polling=300)
    still = page.evaluate("__lamplighter.glided")
    # The pointer may leave the timeline once it holds the handle.
    for step, height in ((100, 0.5), (61, 0.5), (33, -3), (32, 0.2), (7, 0.9), (95, 0.5)):
        point_at_step(page, step, height)
        expect_step(page, finished, step)
    assert page.evaluate("__lamplighter.glided") == still
    page.mouse.up()
    wait_for(page, "location.search.includes('at=95')")
    expect(page.get_by_test_id("connection")).to_have_text("view paused")
    expect(page.locator(".said")).to_have_attribute("title", "The map is of step 90.")
    # After release, the handle ignores the pointer.
    point_at_step(page, 20)
    wait_for_frame(page)
    expect_step(page, finished, 95)


@pytest.mark.tour
def test_a_drag_shows_available_steps_until_the_rest_arrives(
    finished: FinishedRun, chromium: Browser
) -> None:
    page = chromium.new_page(viewport=DESKTOP)
    held: list[Route] = []
    # Delay the light of steps 65 to 128.
    page.route(re.compile(r"/steps\?from=65&"), lambda route: held.append(route))
    page.goto(finished.url_with("folded=1&at=40"))
    expect_step(page, finished, 40)
    # The page prefetches the steps likely to be wanted next.
    page.wait_for_timeout(300)
    point_at_step(page, 50)
    page.mouse.down()
    point_at_step(page, 60)
    wait_for(page, "__lamplighter.beat?.step === 60 && __lamplighter.shown.step === 60")
    point_at_step(page, 100)
    # The page shows the last passed step whose light has arrived, with its own number; the handle follows the
    # pointer.
    wait_for(page, "__lamplighter.beat?.step === 64")
    assert page.evaluate("[...__lamplighter.beat.ids].sort((a, b) => a - b)") == finished.batch_rows(64)
    assert page.evaluate("__lamplighter.shown.step") == 60
    expect(page.get_by_test_id("step")).to_have_text("64")
    expect(page.get_by_test_id("scrubber")).to_have_attribute("aria-valuenow", "100")
    for route in held:
        route.continue_()
    page.unroute_all()
    expect_step(page, finished, 100)
    page.mouse.up()
    expect_step(page, finished, 100)
    page.close()


def test_a_second_finger_neither_moves_nor_releases_the_handle(page: Page, finished: FinishedRun) -> None:
    point_at_step(page, 30)
    page.mouse.down()
    expect_step(page, finished, 30)
    page.evaluate("""() => {
        const grip = document.querySelector('[data-testid=scrubber]');
        const { right, top } = grip.getBoundingClientRect();
        for (const kind of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'])
            grip.dispatchEvent(new PointerEvent(kind, {
                pointerId: 77, pointerType: 'touch', isPrimary: false, clientX: right, clientY: top + 5,
            }));
    }""")
    wait_for_frame(page)
    expect_step(page, finished, 30)
    point_at_step(page, 95)
    expect_step(page, finished, 95)
    page.mouse.up()


@pytest.mark.tour
def test_a_server_lost_during_a_drag_is_polled_occasionally(finished: FinishedRun, chromium: Browser) -> None:
    page = chromium.new_page(viewport=DESKTOP)
    refused: list[float] = []

    def refuse(route: Route) -> None:
        refused.append(time.monotonic())
        route.abort("connectionrefused")

    page.route(re.compile(r"/steps\?from=65&"), refuse)
    page.goto(finished.url_with("folded=1&at=40"))
    expect_step(page, finished, 40)
    point_at_step(page, 45)
    page.mouse.down()
    expect_step(page, finished, 45)
    point_at_step(page, 100)
    problem = page.get_by_test_id("past-problem")
    expect(problem).to_have_text(re.compile(r"The server does not answer\.\s+Step \d+ stays on the screen\."))
    begun = time.monotonic()
    page.wait_for_timeout(4_000)
    # Retries come every 1.5 s, not as fast as the server refuses, even though cached steps are shown and the
    # pointer moves.
    assert 1 <= sum(one > begun for one in refused) <= 6
    before = len(refused)
    for step in (101, 103, 105, 107, 109, 111):
        point_at_step(page, step)
        page.wait_for_timeout(50)
    assert len(refused) - before <= 2
    # Cached steps are shown until then.
    point_at_step(page, 20)
    expect_step(page, finished, 20)
    point_at_step(page, 100)
    page.unroute_all()
    expect_step(page, finished, 100)
    expect(page.get_by_test_id("past-problem")).to_have_count(0)
    page.mouse.up()
    page.close()


def test_light_along_the_run_is_fetched_as_the_pointer_approaches(
    finished: FinishedRun, chromium: Browser
) -> None:
    page = chromium.new_page(viewport=DESKTOP)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(finished.url_with("folded=1"))
    wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")

    def begun(kind: str) -> set[int]:
        found = (re.search(rf"/{kind}\?from=(\d+)&.*format=frame", url) for url in asked)
        return {int(one[1]) for one in found if one}

    assert begun("places") == set()
    # That of the newest step, which is already lit.
    asked.clear()
    page.get_by_test_id("scrubber").hover()
    deadline = time.monotonic() + 10
    while (begun("steps"), begun("places")) != ({1, 65}, {0, 70}) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    # The light comes 64 steps at a time, with the maps of those steps.
    assert begun("places") == {0, 70}
    assert begun("steps") == {1, 65}
    page.close()
