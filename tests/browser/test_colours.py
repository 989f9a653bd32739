"""Colours with their legend, trails and links in the browser, on a run with a real projector."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import lamplighter
from tests.browser.fixtures import sound_page
from tests.browser.pages import colour_by, open_view, wait_for
from tests.support.application import Application
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.tour]

SIZE, DIM, MOVING = 160, 12, 6
STILL = SIZE - MOVING
"""Rows below this id never move; the others move in every step."""
TRAILS = "__lamplighter.trails.length"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    runs = tmp_path_factory.mktemp("runs")
    choose = np.random.default_rng(3)
    weights = choose.normal(size=(SIZE, DIM)).astype(np.float32)
    tokens = [f"word{i}" for i in range(SIZE)]
    classes = {"animals": tokens[:40], "towns <b>": tokens[40:60]}

    def layouts(app: Application) -> int:
        return len(app.get("/api/runs/mine/layouts?method=linear")["items"])

    with Application(runs, "serve") as app:
        recorder = lamplighter.record(
            runs / "mine", tokens, embedding=weights, keyframe_every=5, classes=classes
        )
        with recorder:
            for step in range(1, 1_000):
                weights[STILL:] += choose.normal(scale=0.3, size=(MOVING, DIM)).astype(np.float32)
                ids = np.array([step % 20, SIZE - 1])
                recorder.step(weights, ids, 3 / step, gradient=np.ones((SIZE, DIM), dtype=np.float32))
                if step % 20 == 0 and layouts(app) >= 4:
                    break
                time.sleep(0.03)
        wait_until(lambda: layouts(app) >= 4, "layouts", 60)
        yield app


@pytest.fixture(scope="module")
def page(recorded: Application, chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium, reduced_motion="no-preference") as opened:
        opened.goto(f"{recorded.url}/?run=mine&legend=open&folded=1")
        wait_for(opened, "window.__lamplighter?.shown && document.querySelector('[data-testid=legend-k1]')")
        yield opened


def numbers(page: Page) -> int:
    """Return the total number of tokens that the legend counts."""
    found = page.locator("[data-testid=legend] .entry[aria-pressed] .number").all_inner_texts()
    return sum(int(text.replace(",", "")) for text in found)


def test_every_colour_has_a_legend_that_counts_each_token_once(page: Page) -> None:
    expect(page.get_by_test_id("legend-k1")).to_contain_text("Towns <b>")
    open_view(page)
    offered = (
        page.get_by_test_id("colour")
        .locator("option:not([disabled])")
        .evaluate_all("all => all.map((one) => one.value)")
    )
    assert {"class", "frequency", "since", "gradient", "moved", "trust"} <= set(offered)
    seen: set[str] = set()
    for by in offered:
        colour_by(page, by)
        if by == "moved":
            expect(page.get_by_test_id("legend-ends")).to_be_visible()
        assert numbers(page) == SIZE, by
        seen.add(page.locator("[data-testid=legend] .body > p").first.inner_text())
    assert len(seen) == len(offered)


def test_displacements_are_distances_in_the_space_and_zero_at_rest(page: Page) -> None:
    colour_by(page, "moved")
    expect(page.get_by_test_id("legend-ends")).to_be_visible()
    expect(page.get_by_test_id("legend-rest")).to_contain_text(re.compile(rf"did not move\s*{STILL}"))
    # Without a pulse since the page opened, a gradient is unknown, not 0.
    colour_by(page, "gradient")
    expect(page.get_by_test_id("legend-unknown")).to_contain_text("unknown")


def test_an_entry_rings_its_tokens_by_pointer_focus_and_press(page: Page) -> None:
    colour_by(page, "class")
    animals, towns = page.get_by_test_id("legend-k0"), page.get_by_test_id("legend-k1")
    animals.hover()
    wait_for(page, "__lamplighter.ringed.length === 40 && __lamplighter.ringed[0] === 0")
    page.mouse.move(700, 300)
    wait_for(page, "!__lamplighter.ringed.length")
    towns.focus()
    wait_for(page, "__lamplighter.ringed.length === 20")
    page.keyboard.press("Enter")
    expect(towns).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile("ring=k1"))
    page.get_by_test_id("page-menu").focus()
    wait_for(page, "__lamplighter.ringed.length === 20 && __lamplighter.ringed[0] === 40")
    towns.press("Escape")
    expect(page).not_to_have_url(re.compile("ring="))
    page.get_by_test_id("page-menu").focus()
    wait_for(page, "!__lamplighter.ringed.length")
    towns.press("Enter")
    expect(page).to_have_url(re.compile("ring=k1"))
    # In another legend the same entry would mean something else, so the ring is cleared.
    colour_by(page, "frequency")
    wait_for(page, "!__lamplighter.ringed.length")


def test_a_lamp_describes_its_colour_in_words(page: Page) -> None:
    colour_by(page, "moved")
    expect(page.get_by_test_id("legend-ends")).to_be_visible()
    x, y = page.evaluate(f"__lamplighter.pixelOf({SIZE - 1})")
    page.mouse.move(x, y)
    expect(page.get_by_test_id("card-colour")).to_contain_text(re.compile(r"moved [\d.]+ in the space from"))


def test_trails_are_drawn_for_movers_and_the_selected_token(page: Page, recorded: Application) -> None:
    page.goto(f"{recorded.url}/?run=mine&legend=open&folded=1&map=linear&trails=movers&over=0")
    said = page.get_by_test_id("trails-said")
    expect(said).to_contain_text(re.compile(rf"{MOVING} of {MOVING} moved on this map"), timeout=20_000)
    expect(page.get_by_test_id("mover")).to_have_count(MOVING)
    wait_for(page, f"{TRAILS} === {MOVING}")
    # On the linear map a row at rest leaves no trail; a moving row does.
    page.goto(f"{recorded.url}/?run=mine&legend=open&folded=1&map=linear&trails=chosen&over=0&token=3")
    expect(page.get_by_test_id("trails-said")).to_contain_text("0 of 1 moved", timeout=20_000)
    assert page.evaluate(TRAILS) == 0
    page.goto(f"{recorded.url}/?run=mine&legend=open&folded=1&map=linear&trails=chosen&over=0&token={STILL}")
    expect(page.get_by_test_id("trails-said")).to_contain_text("1 of 1 moved", timeout=20_000)
    wait_for(page, f"{TRAILS} === 1")
    page.get_by_test_id("trails").select_option("none")
    wait_for(page, f"{TRAILS} === 0")


def test_links_of_each_kind_and_the_number_of_shared_ones(page: Page, recorded: Application) -> None:
    page.goto(f"{recorded.url}/?run=mine&legend=open&folded=1&token=5&links=both")
    shared = page.get_by_test_id("shared")
    expect(shared).to_contain_text(re.compile(r"\d+ of 12 neighbours on the map are"), timeout=20_000)
    both = int((shared.text_content() or "").split()[0])

    def kinds() -> list[str]:
        return page.evaluate("__lamplighter.links.map(({kind}) => kind)")

    wait_for(page, "__lamplighter.links.some(({kind}) => kind === 'map')")
    drawn = kinds()
    assert (drawn.count("space"), drawn.count("map"), drawn.count("both")) == (12 - both, 12 - both, both)
    for to, other in (("space", "map"), ("map", "space")):
        page.get_by_test_id("links").select_option(to)
        wait_for(page, f"!__lamplighter.links.some(({{kind}}) => kind === '{other}')")
        assert len(kinds()) == 12
    page.get_by_test_id("links").select_option("none")
    wait_for(page, "!__lamplighter.links.length")
    expect(page).to_have_url(re.compile("links=none"))
