"""Selection of several tokens in the browser: by lasso, finger and keyboard, and pinned."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

import lamplighter
from tests.browser.fixtures import FinishedRun
from tests.browser.map_page import write_maps
from tests.browser.pages import choose_entry, show_level, wait_for
from tests.support.application import Application

pytestmark = pytest.mark.browser

SIZE, DIM = 60, 8
HOSTILE = "<img src=x onerror=alert(1)>" + "long" * 40
TOKENS = [HOSTILE, *(f"word{i}" for i in range(1, SIZE))]


@pytest.fixture(scope="module")
def server(finished_run: FinishedRun) -> Application:
    """Record a run of sixty tokens beside the finished run."""
    runs = finished_run.server.runs
    draw = np.random.default_rng(5)
    weights = draw.normal(size=(SIZE, DIM)).astype(np.float32)
    with lamplighter.record(runs / "mine", TOKENS, embedding=weights, keyframe_every=5) as recorder:
        for step in range(1, 21):
            ids = draw.integers(0, SIZE, size=6)
            weights[ids] += draw.normal(size=(len(ids), DIM), scale=0.1).astype(np.float32)
            recorder.step(weights, ids, 3 / step)
    write_maps(finished_run.server.run("mine").layouts_path, SIZE, range(0, 21, 5))
    return finished_run.server


def opened(server: Application, chromium: Browser, query: str = "", **context: Any) -> Page:
    settings: dict[str, Any] = {"viewport": {"width": 1280, "height": 720}} | context
    page = chromium.new_page(**settings)
    page.goto(f"{server.url}/?run=mine&map=linear{query}")
    wait_for(page, "window.__lamplighter?.shown?.method === 'linear'")
    # Plotly loads after the first map; a lasso cannot be drawn earlier.
    wait_for(page, "document.querySelector('.city .nsewdrag')")
    page.wait_for_timeout(700)
    return page


@pytest.fixture(scope="module")
def page(server: Application, chromium: Browser) -> Iterator[Page]:
    there = opened(server, chromium, "&panel=gathered")
    yield there
    there.close()


@pytest.fixture(scope="module")
def phone(server: Application, chromium: Browser) -> Iterator[Page]:
    there = opened(
        server, chromium, viewport={"width": 390, "height": 844}, has_touch=True, device_scale_factor=1
    )
    yield there
    there.close()


def pixels(page: Page) -> np.ndarray:
    return np.array([page.evaluate("(id) => __lamplighter.pixelOf(id)", id) for id in range(SIZE)])


def circle(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    turns = [2 * math.pi * i / 24 for i in range(25)]
    return [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]


def apart(places: np.ndarray, x: float, y: float) -> np.ndarray:
    return np.linalg.norm(places - np.array([x, y]), axis=1)


def within(places: np.ndarray, x: float, y: float, radius: float) -> set[int]:
    """Return the ids within a circle whose edge avoids every token."""
    return set(np.flatnonzero(apart(places, x, y) < radius).tolist())


def around(places: np.ndarray) -> tuple[float, float, float]:
    """Return a circle around the middle of the map whose edge avoids every token: x, y, radius."""
    x, y = np.median(places, axis=0)
    far = np.sort(apart(places, x, y))
    gaps = np.diff(far[4:20])
    at = 4 + int(np.argmax(gaps))
    return float(x), float(y), float((far[at] + far[at + 1]) / 2)


def gathered(page: Page) -> set[int]:
    """Return the selected ids from the URL, which lists them by text, except for a text too long for it."""
    page.wait_for_timeout(400)
    query = "Object.fromEntries(new URLSearchParams(location.search))"
    view = page.evaluate(query)
    words = [word for word in view.get("words", "").split(",") if word]
    ids = [int(word) for word in view.get("tokens", "").split(",") if word]
    assert set(ids) <= {TOKENS.index(HOSTILE)}
    return {*ids, *(TOKENS.index(word) for word in words)}


def draw(page: Page, line: list[tuple[float, float]], key: str | None = None) -> None:
    if key:
        page.keyboard.down(key)
    page.mouse.move(*line[0])
    page.mouse.down()
    for x, y in line[1:]:
        page.mouse.move(x, y)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def touch(cdp: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    at = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})


@pytest.mark.tour
def test_a_lasso_selects_shift_adds_alt_removes_and_escape_clears(page: Page) -> None:
    places = pixels(page)
    x, y, radius = around(places)
    inner = within(places, x, y, radius)
    choose_entry(page, "toggleLasso")
    draw(page, circle(x, y, radius))
    assert gathered(page) == inner
    expect(page.get_by_test_id("gathered-count")).to_have_text(f"{len(inner)} words selected")
    # The end of the outline does not count as a click.
    expect(page.get_by_test_id("gathered-list")).to_be_visible()

    others = [id for id in np.argsort(-apart(places, x, y)) if 120 < places[id][1] < 560]
    other = next(int(id) for id in others if 60 < places[id][0] < 900)
    draw(page, circle(float(places[other][0]), float(places[other][1]), 9), "Shift")
    more = gathered(page)
    assert inner < more
    assert other in more
    draw(page, circle(float(places[other][0]), float(places[other][1]), 9), "Alt")
    assert other not in gathered(page)

    page.keyboard.press("Escape")
    assert gathered(page) == set()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("gathered-strip")).to_be_hidden()


def test_tokens_are_selected_by_keyboard_alone_and_the_change_is_announced_and_measured(
    page: Page, server: Application
) -> None:
    ways = page.get_by_test_id("gather-by")
    if ways.get_attribute("open") is None:
        ways.locator("summary").press("Enter")
    page.get_by_test_id("by-text").fill("WORD1")
    page.get_by_test_id("by-text").press("Enter")
    ids = {1, *range(10, 20)}
    assert gathered(page) == ids
    expect(page.get_by_test_id("gathered-told")).to_contain_text("11 words selected: word1, word10")

    named = ",".join(str(id) for id in sorted(ids))
    measured = server.get(f"/api/runs/mine/pairs?token_ids={named}")
    expect(page.get_by_test_id("cosine-among")).to_contain_text(
        f"{measured['among']['cosine']['mean']:.2f}".replace("-", "−")
    )
    expect(page.get_by_test_id("cosine-random")).to_contain_text(
        f"{measured['random']['cosine']['mean']:.2f}".replace("-", "−")
    )
    expect(page.get_by_test_id("pairs").locator("tbody tr")).to_have_count(11)

    page.get_by_test_id("how-take").press("Space")
    page.get_by_test_id("by-text").fill("word19")
    page.get_by_test_id("by-text").press("Enter")
    assert gathered(page) == ids - {19}
    page.get_by_test_id("how-new").press("Space")
    # The selected token and its neighbours.
    page.get_by_test_id("gathered-list").get_by_role("button").first.press("Enter")
    chosen = page.get_by_test_id("token").inner_text()
    # Its card replaced the selection's, to which the strip on the map leads back; the word stays selected.
    page.get_by_test_id("gathered-strip").get_by_role("button", name="10 words selected").press("Enter")
    expect(page.get_by_test_id("gathered-list")).to_be_visible()
    if page.get_by_test_id("gather-by").get_attribute("open") is None:
        page.get_by_test_id("gather-by").locator("summary").press("Enter")
    page.get_by_test_id("by-near").fill("4")
    page.get_by_test_id("by-near").press("Enter")
    expect(page.get_by_test_id("gathered-count")).to_have_text("5 words selected")
    near = server.get(f"/api/runs/mine/neighbours?token_id={TOKENS.index(chosen)}&k=4")["items"]
    assert gathered(page) == {TOKENS.index(chosen), *(item["token_id"] for item in near)}
    page.get_by_test_id("take-one").press("Enter")
    expect(page.get_by_test_id("gathered-count")).to_have_text("4 words selected")

    page.get_by_test_id("align").press("Space")
    expect(page.get_by_test_id("aligned")).to_have_text("4 words held in place")
    wait_for(page, "location.search.includes('align=1')")


@pytest.mark.tour
def test_a_link_restores_the_selection(server: Application, chromium: Browser) -> None:
    there = opened(server, chromium, "&panel=gathered&tokens=3,17,999&align=1")
    expect(there.get_by_test_id("gathered-count")).to_have_text("2 words selected")
    expect(there.get_by_test_id("aligned")).to_be_visible()
    there.close()


@pytest.mark.tour
def test_the_card_avoids_the_pointer_and_shows_hostile_text_as_text(page: Page) -> None:
    choose_entry(page, "showWholeMap")
    page.wait_for_timeout(900)
    x, y = page.evaluate("__lamplighter.pixelOf(0)")
    page.mouse.move(x, y)
    card = page.get_by_test_id("card")
    expect(card).to_contain_text("<img src=x onerror")
    assert card.locator("img").count() == 0
    box = card.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= 1280
    assert box["y"] + box["height"] <= 720
    inside = box["x"] < x < box["x"] + box["width"] and box["y"] < y < box["y"] + box["height"]
    assert not inside


@pytest.mark.tour
def test_fingers_tap_pan_pinch_and_draw(phone: Page) -> None:
    cdp = phone.context.new_cdp_session(phone)
    before = pixels(phone)
    # Two fingers move apart, and so do the tokens.
    touch(cdp, "touchStart", (170, 400), (220, 400))
    for far in range(30, 100, 10):
        touch(cdp, "touchMove", (195 - far, 400), (195 + far, 400))
    touch(cdp, "touchEnd")
    phone.wait_for_timeout(300)
    closer = pixels(phone)
    assert np.ptp(closer[:, 0]) > 1.5 * np.ptp(before[:, 0])
    # Neither finger counts as a tap.
    assert "word=" not in phone.url
    # One finger pans the map.
    touch(cdp, "touchStart", (200, 350))
    for by in range(10, 70, 10):
        touch(cdp, "touchMove", (200 + by, 350 + by))
    touch(cdp, "touchEnd")
    phone.wait_for_timeout(300)
    assert np.allclose(pixels(phone) - closer, 60, atol=3)

    choose_entry(phone, "showWholeMap")
    phone.wait_for_timeout(900)
    show_level(phone, "explore")
    phone.get_by_test_id("lasso").tap()
    # The sheet makes room to draw.
    expect(phone.get_by_test_id("inspector")).to_have_count(0)
    phone.wait_for_timeout(900)
    places = pixels(phone)
    x, y, radius = around(places)
    line = circle(x, y, radius)
    touch(cdp, "touchStart", line[0])
    for point in line[1:]:
        touch(cdp, "touchMove", point)
    # Drawing moved nothing.
    assert np.allclose(pixels(phone), places, atol=0.5)
    touch(cdp, "touchEnd")
    assert gathered(phone) == within(places, x, y, radius)
    # The selection has its card, and the whole map still fits beside it.
    expect(phone.get_by_test_id("gathered-list")).to_be_visible()

    phone.get_by_test_id("stop-drawing").tap()
    phone.get_by_test_id("strip-let-go").tap()
    phone.get_by_test_id("close-panel").tap()
    phone.wait_for_timeout(900)
    assert np.allclose(pixels(phone), places, atol=0.5)
    # The lowest token: the panel opens under the finger, which must press nothing in it.
    lowest = int(np.argmax(places[:, 1]))
    touch(cdp, "touchStart", (float(places[lowest][0]), float(places[lowest][1])))
    touch(cdp, "touchEnd")
    wait_for(phone, "location.search.includes('word=')")
    phone.wait_for_timeout(600)
    expect(phone.get_by_test_id("token")).to_be_visible()
    assert phone.evaluate("document.activeElement.outerHTML.slice(0, 90)").startswith("<body")
