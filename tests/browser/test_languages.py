"""The page in German: chosen by the browser, the address or the reader, from a server and in a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import find_violations
from tests.browser.fixtures import serve_finished_run, served_from
from tests.browser.pages import OUTSIDE, choose_entry, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.tour]

LANGUAGE = "document.documentElement.lang"


@pytest.mark.parametrize("where", ["server", "file"])
def test_the_page_uses_its_readers_language(where: str, chromium: Browser, tmp_path: Path) -> None:
    with serve_finished_run(tmp_path) as served, served_from(where, served, tmp_path) as finished:
        context = chromium.new_context(locale="de-AT", viewport={"width": 390, "height": 844})
        page = context.new_page()
        page.goto(finished.url_with("panel=run"))
        expect(page.get_by_text("Rezept", exact=True)).to_be_visible(timeout=20_000)
        assert page.evaluate(LANGUAGE) == "de"
        # German words are longer; nothing may overflow the window.
        assert page.evaluate(OUTSIDE) == []
        assert find_violations(page) == []

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
        choose_entry(page, "toggleMap")
        wait_for(page, "location.search.includes('map=linear')")
        assert page.evaluate("new URLSearchParams(location.search).get('lang')") == "de"
        context.close()


def test_without_the_german_script_the_page_is_entirely_english(chromium: Browser, tmp_path: Path) -> None:
    with serve_finished_run(tmp_path) as finished:
        page = chromium.new_page(locale="de-DE")
        page.route("**/assets/de-*", lambda route: route.abort())
        page.goto(finished.url_with("panel=run"))
        expect(page.get_by_text("Recipe", exact=True)).to_be_visible(timeout=20_000)
        expect(page.get_by_test_id("loss")).to_contain_text(".")
        assert page.evaluate(LANGUAGE) == "en"
        page.close()
