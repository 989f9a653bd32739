"""Districts and doubtful positions in the browser, on a text without planted classes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import lamplighter
from lamplighter.runfolder.role_lock import RoleState, role_state
from tests.browser.pages import open_panel, show_map, wait_for
from tests.support.application import Application
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

SIZE, DIM, TOWNS, EACH = 420, 24, 12, 30


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Record a finished run whose tokens form twelve clusters while some stay apart."""
    runs = tmp_path_factory.mktemp("runs")
    choose = np.random.default_rng(3)
    weights = choose.normal(size=(SIZE, DIM)).astype(np.float32)
    centres = 4 * np.linalg.qr(choose.normal(size=(DIM, DIM)))[0][:TOWNS]
    tokens = [f"word{i}" for i in range(SIZE)]
    with lamplighter.record(runs / "mine", tokens, embedding=weights, keyframe_every=5) as recorder:
        for step in range(1, 41):
            for town in range(TOWNS):
                some = slice(EACH * town, EACH * town + EACH)
                weights[some] += (0.15 * (centres[town] - weights[some])).astype(np.float32)
            ids = choose.integers(0, SIZE, size=8)
            recorder.step(weights, ids, 3 / step, gradient=np.ones((SIZE, DIM), dtype=np.float32))
    with Application(runs, "serve") as app:
        yield app


@pytest.fixture(scope="module")
def found(towns: Application) -> list[dict[str, Any]]:
    """Wait until the projector has finished the run. Returns its districts."""
    wait_until(lambda: bool(towns.get("/api/runs/mine/districts/events")["items"]), "districts", 90)
    # Tokens still change their districts until the map is at rest, and the projector ends.
    folder = towns.only_run().path
    wait_until(lambda: role_state(folder, "projector") is RoleState.FREE, "the last map", 90)
    return towns.get("/api/runs/mine/districts")["items"]


@pytest.fixture
def page(towns: Application, found: list[dict[str, Any]], chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page(viewport={"width": 1280, "height": 720})
    opened.goto(f"{towns.url}/?run=mine")
    wait_for(opened, "window.__lamplighter?.labels.some((name) => name.includes(' · '))")
    yield opened
    opened.close()


@pytest.mark.tour
def test_district_names_match_the_server_and_a_click_shows_the_tokens(
    page: Page, found: list[dict[str, Any]]
) -> None:
    assert len(found) >= TOWNS - 2
    by_name = {one["name"].lower(): one for one in found}
    words = page.get_by_test_id("district-words").get_by_role("button")
    opened: list[tuple[dict[str, Any], dict[str, Any]]] = []
    turns = count()

    def opens() -> bool:
        """Return whether a click at a name's current position opens its district: names move until the map
        rests, and a name over a lamp selects the lamp.
        """
        written = [text for text in page.evaluate("__lamplighter.texts") if text["text"].lower() in by_name]
        if not written:
            return False
        box = written[next(turns) % len(written)]
        page.mouse.click((box["left"] + box["right"]) / 2, (box["top"] + box["bottom"]) / 2)
        page.wait_for_timeout(500)
        if words.count():
            opened.append((by_name[box["text"].lower()], box))
            return True
        page.keyboard.press("Escape")
        return False

    wait_until(opens, "a click that opens a district")
    district, box = opened[0]
    expect(words).to_have_count(min(12, len(district["token_ids"])))
    words.first.click()
    page.get_by_test_id("token-numbers").locator("summary").click()
    expect(page.get_by_test_id("token-district")).to_have_text(box["text"])
    expect(page.get_by_test_id("token-trust")).to_contain_text("neighbours are real")


@pytest.mark.tour
def test_uncertain_positions_are_marked_and_counted(page: Page) -> None:
    open_panel(page, "map")
    said = page.get_by_test_id("doubtful-said")
    expect(said).to_contain_text("Crosses out words")
    before = page.get_by_test_id("city").bounding_box()
    page.get_by_test_id("doubtful").check()
    expect(said).to_contain_text(f"of {SIZE} words")
    assert page.get_by_test_id("city").bounding_box() == before
    # The linear map shows less of the space, so more of its positions are uncertain.
    crossed = int((said.text_content() or "").split()[0])
    show_map(page, "linear")
    wait_for(page, "__lamplighter.shown.method === 'linear'")
    expect(said).not_to_contain_text(f"{crossed} of")
    assert int((said.text_content() or "").split()[0]) > crossed


@pytest.mark.tour
def test_district_events_are_on_the_timeline(page: Page) -> None:
    assert 1 <= page.get_by_test_id("landmark").count() <= 7
    # Beside the controls of a screen that is not live.
    page.keyboard.press("Space")
    page.get_by_test_id("district-changes").click()
    changes = page.locator("#district-changes").get_by_role("listitem")
    expect(changes.last).to_contain_text("New neighbourhood: ")
    changes.first.get_by_role("button").click()
    first = (changes.first.locator(".number").text_content() or "").replace(",", "")
    wait_for(page, f"new URLSearchParams(location.search).get('at') === '{first}'")
