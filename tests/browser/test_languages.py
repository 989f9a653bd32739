"""The language and the theme of the page: by the system, the address or the reader, from a server and in a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.axe import find_violations
from tests.browser.fixtures import (
    DESKTOP,
    ELSEWHERE_ON_TOUR,
    FinishedRun,
    serve_finished_run,
    served_from,
    sound_page,
)
from tests.browser.pages import OUTSIDE, PANELS, choose_entry, open_view, show_address, wait_for
from tests.support.synthetic_runs.bright_run import KEEP

pytestmark = pytest.mark.browser

LANGUAGE = "document.documentElement.lang"
OTHERS = "bdi, code, pre, noscript, a[href^=http], [data-testid=reading], [data-testid=batch], [data-testid=said], [data-testid=run-name]"
"""Words of the run, commands and titles of books."""
TEXTS = """(others) => {
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
        if (!walker.currentNode.parentElement.closest(others)) texts.push(walker.currentNode.data);
    for (const name of ['aria-label', 'aria-valuetext', 'placeholder', 'title'])
        for (const one of document.querySelectorAll(`[${name}]`))
            if (!one.closest(others)) texts.push(one.getAttribute(name));
    return texts.map((text) => text.trim()).filter((text) => /[a-z]{3}/i.test(text)).sort();
}"""
"""Returns all texts of the page, seen or read out, except `others`."""
SAME = {
    "BLOOM (2022)", "CSV", "Chinchilla (2022)", "Embedding", "GPT-3 (2020)", "Lamplighter", "Lamptown", "Llama 2 7B (2023)",
    "Llama 3.1 405B (2024)", "Matrix", "Parquet", "minus", "npy", "plus", "safetensors",
}  # fmt: skip
"""Texts that are the same in both languages."""


@pytest.mark.parametrize("where", ELSEWHERE_ON_TOUR[:2])
def test_the_page_uses_its_readers_language(
    where: str, chromium: Browser, finished_run: FinishedRun, tmp_path: Path
) -> None:
    with served_from(where, finished_run, tmp_path) as finished:
        context = chromium.new_context(locale="de-AT", viewport={"width": 390, "height": 844})
        page = context.new_page()
        page.goto(finished.url_with("panel=run"))
        expect(page.get_by_text("Rezept", exact=True)).to_be_visible(timeout=20_000)
        assert page.evaluate(LANGUAGE) == "de"
        # German words are longer; nothing may overflow the window.
        assert page.evaluate(OUTSIDE) == []

        # The reader's choice overrides the browser's, and is kept.
        page.keyboard.press("?")
        page.get_by_test_id("language").select_option("en")
        expect(page.get_by_text("Recipe", exact=True)).to_be_visible(timeout=20_000)
        page.reload()
        expect(page.get_by_text("Recipe", exact=True)).to_be_visible(timeout=20_000)
        assert page.evaluate(LANGUAGE) == "en"

        # An address overrides both; it keeps its language while the view changes, as do links copied from it.
        page.goto(finished.url_with("lang=de&panel=run"))
        expect(page.get_by_text("Rezept", exact=True)).to_be_visible(timeout=20_000)
        wait_for(page, "window.__lamplighter?.shown")
        choose_entry(page, "toggleMap")
        wait_for(page, "location.search.includes('map=linear')")
        assert page.evaluate("new URLSearchParams(location.search).get('lang')") == "de"
        context.close()


@pytest.mark.tour
def test_without_the_german_script_the_page_is_entirely_english(
    chromium: Browser, finished_run: FinishedRun
) -> None:
    with sound_page(chromium, locale="de-DE") as page:
        page.route("**/assets/german-*", lambda route: route.abort())
        page.goto(finished_run.url_with("panel=run"))
        expect(page.get_by_text("Recipe", exact=True)).to_be_visible(timeout=20_000)
        expect(page.get_by_test_id("loss")).to_contain_text(".")
        assert page.evaluate(LANGUAGE) == "en"


def texts_at_rest(page: Page) -> set[str]:
    """Return the texts of a page once they no longer change."""
    before: list[str] | None = None
    for _ in range(100):
        texts: list[str] = page.evaluate(TEXTS, OTHERS)
        if texts == before:
            break
        before = texts
        page.wait_for_timeout(100)
    return set(before or ())


@pytest.mark.tour
def test_no_text_of_the_german_page_is_english(chromium: Browser, tmp_path: Path) -> None:
    with (
        serve_finished_run(tmp_path) as finished,
        sound_page(chromium) as here,
        sound_page(chromium) as there,
    ):
        pages = ((here, "en"), (there, "de"))
        for page, language in pages:
            page.goto(finished.url_with(f"lang={language}"))
            wait_for(page, "window.__lamplighter?.shown")
        for panel in PANELS:
            texts: list[set[str]] = []
            for page, language in pages:
                show_address(page, finished.url_with(f"lang={language}&panel={panel}&word=2"))
                texts.append(texts_at_rest(page))
            english, german = texts
            # The run's words, a kind of it that is called marks, and units are the same.
            same = rf"{finished.run}|Marks|MWh$|^word\d+$|^hotdog$"
            alike = {text for text in english & german - SAME if not re.search(same, text)}
            assert alike == set(), panel


SHOWN = "window.__lamplighter?.shown && document.documentElement.dataset.theme"
PHONE: ViewportSize = {"width": 390, "height": 844}
LAND = """() => {
    const lamps = document.querySelector('.city > canvas');
    const pen = new OffscreenCanvas(1, 1).getContext('2d');
    pen.drawImage(lamps, 0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}"""
"""The mean colour of the map, roughly."""


def choose(page: Page, name: str) -> None:
    """Choose a theme in the view menu, which opens the page again."""
    open_view(page)
    with page.expect_navigation():
        page.get_by_test_id("theme").select_option(label=name)


@pytest.mark.tour
def test_the_theme_follows_the_system_the_hand_and_the_address(chromium: Browser, finished_run: FinishedRun):
    page = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce", color_scheme="light").new_page()
    page.goto(finished_run.url_with("at=3"))
    assert wait_for(page, SHOWN) == "dusk"
    choose(page, "Night")
    assert wait_for(page, SHOWN) == "night"
    assert page.evaluate("new URLSearchParams(location.search).get('at')") == "3", "the view stays"
    page.goto(finished_run.url_with("theme=dusk"))
    assert wait_for(page, SHOWN) == "dusk", "the address overrides the choice"
    choose(page, "As the system")
    assert wait_for(page, SHOWN) == "dusk"
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert wait_for(page, SHOWN) == "night"
    page.context.close()


def test_the_first_screen_at_dusk_has_no_barrier(chromium: Browser, finished_run: FinishedRun):
    for viewport in (DESKTOP, PHONE):
        page = chromium.new_page(viewport=viewport, reduced_motion="reduce", color_scheme="light")
        page.add_init_script(KEEP)
        page.goto(finished_run.url_with(""))
        wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat")
        assert find_violations(page) == []
        assert min(page.evaluate(LAND)) > 150, "the map is light"
        page.close()
