"""Hostile token text: pictures, links, scripts and direction overrides all stay plain text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

import lamplighter
from lamplighter.runfolder.run_store import RunStore
from tests.browser.map_page import write_maps
from tests.browser.pages import LAB_PANELS, open_panel, show_level, wait_for
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

LONG = "long" * 250
TOKENS = {
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "<script>window.hacked=1</script>": "<script>window.hacked=1</script>",
    "https://evil.example/": "https://evil.example/",
    "javascript:window.hacked=1": "javascript:window.hacked=1",
    '<a href="javascript:alert(1)">x</a>': '<a href="javascript:alert(1)">x</a>',
    "right\u202eleft\u202c": "rightleft",
    "zero\u200bwidth\u2060": "zerowidth",
    "stacked" + "\u0301\u0323" * 200: "stacked" + "\u0301\u0323" * 2,
    "<b>bold</b>": "<b>bold</b>",
    "family👨\u200d👩\u200d👧\u200d👦": "family👨\u200d👩\u200d👧\u200d👦",
    LONG: f"{LONG[:47]}…",
    "new\nline\ttab": "new⏎line⇥tab",
    "percent%s%d": "percent%s%d",
    "{{curly}}": "{{curly}}",
    "%{text}<extra>": "%{text}<extra>",
    "&lt;entity&gt;$x$": "&lt;entity&gt;$x$",
    "nul\x00byte": "nulbyte",
    "__proto__": "__proto__",
}
"""Token texts, and the displayed text of each."""
SIZE = 60
EVERY = 3
"""Distance between the ids of hostile tokens, which spreads them over the map."""
NAMES = ("<img src=x onerror=alert(1)> · <b>bold</b>", "https://evil.example/ · right\u202eleft")
READ = ("<img src=x onerror=alert(1)> · <b>bold</b>", "https://evil.example/ · rightleft")
"""The displayed texts; a name that lists words begins as its first word does."""
CLASS = "<img src=x onerror=alert(2)>\u202e"
CLASS_READ = "<img src=x onerror=alert(2)>"
SPY = r"""
window.made = [];
// The list of runs shows the server's own picture of each.
const ours = (one) => one.localName === "img"
    && /^\/api\/runs\/(hostile|classes)\/picture\.png$/.test(new URL(one.src, location).pathname)
    && new URL(one.src, location).origin === location.origin;
const bad = (one) => (one.matches("img, iframe, object, embed, base, meta[http-equiv]") && !ours(one))
    || (one.localName === "script" && !one.src)
    || (one.localName === "b" && one.textContent.trim() !== "")
    || (one.localName === "a" && /^javascript:|evil/i.test(one.getAttribute("href")
        ?? one.getAttributeNS("http://www.w3.org/1999/xlink", "href") ?? ""))
    || (one.localName === "tspan" && /bold/.test(one.getAttribute("style") ?? ""))
    || [...one.attributes].some(({ name }) => name.startsWith("on"));
new MutationObserver((changes) => {
    const note = (one) => bad(one) && window.made.push(one.outerHTML.slice(0, 120));
    for (const { type, addedNodes, target } of changes) {
        if (type === "attributes") note(target);
        for (const one of addedNodes) {
            if (one.nodeType !== 1) continue;
            note(one);
            one.querySelectorAll("*").forEach(note);
        }
    }
}).observe(document, { childList: true, subtree: true, attributes: true });
"""


def expect_plain_text(page: Page) -> None:
    """Check that no token text has become an element, a script or the title so far."""
    assert page.evaluate("window.made") == []
    assert page.evaluate("window.hacked") is None
    assert page.title() == "Lamplighter"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Serve two runs made of checkpoints: one with hostile tokens, one with hostile classes."""
    runs = tmp_path_factory.mktemp("runs")
    weights = np.random.default_rng(3).normal(size=(SIZE, 8)).astype(np.float32)
    tokens = [f"word{i}" for i in range(SIZE)]
    tokens[: EVERY * len(TOKENS) : EVERY] = TOKENS
    matrix = runs.parent / "<b>e<b>.npy"
    np.save(matrix, weights)
    (runs.parent / "v.json").write_text(json.dumps(tokens), "utf-8")
    table = "token\tclass\n" + "".join(f"word{i}\t{CLASS if i < 30 else ''}\n" for i in range(SIZE))
    (runs.parent / "v.tsv").write_text(table, "utf-8")
    lamplighter.still(runs / "hostile", matrix, runs.parent / "v.json")
    lamplighter.still(runs / "classes", matrix, runs.parent / "v.tsv")
    # Classes are named once there are neighbourhoods.
    for name in ("hostile", "classes"):
        path = RunStore(runs).find(name).layouts_path
        write_maps(path, SIZE, (0,), NAMES, events=[("born", f"{NAMES[1]} came together")])
    with Application(runs, "serve", "--no-workers") as app:
        yield app


@pytest.fixture(scope="module")
def page(server: Application, chromium: Browser) -> Iterator[Page]:
    """Open a page that logs every suspicious element; fail if it contacts any other host."""
    opened = chromium.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    opened.add_init_script(SPY)
    asked: list[str] = []
    faults: list[str] = []

    def on_dialog(dialog: Dialog) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    opened.on("dialog", on_dialog)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("popup", lambda popup: faults.append(f"a window: {popup.url}"))
    opened.on(
        "console",
        lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None,
    )
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    assert asked
    assert {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in ("data", "blob")} == {
        urlsplit(server.url).netloc
    }
    opened.close()
    assert not faults


def test_address_content_is_shown_as_text(page: Page, server: Application) -> None:
    evil = quote("<img src=x onerror=alert(1)>")
    page.goto(f"{server.url}/?run={evil}&token={evil}&panel={evil}&map={evil}&colour={evil}#{evil}")
    expect(page.get_by_test_id("notice")).to_be_visible()
    expect_plain_text(page)


def test_search_panel_map_and_card_show_token_text_as_text(page: Page, server: Application) -> None:
    everybody = ",".join(str(i) for i in range(SIZE))
    query = f"run=hostile&panel=token&colour=district&legend=open&ring=javascript:alert(1)&tokens={everybody}"
    page.goto(f"{server.url}/?{query}")
    wait_for(page, "window.__lamplighter?.shown")
    search = page.get_by_test_id("search")
    for place, (token, text) in enumerate(TOKENS.items()):
        # Type the text before the first unusual character, as a person would.
        search.fill(token[:12] if token.isascii() and token.isprintable() else re.split(r"\W", token)[0])
        page.get_by_test_id("found").locator("span:first-child").get_by_text(text, exact=True).click()
        expect(page.get_by_test_id("token")).to_have_text(text)
        wait_for(page, f"__lamplighter.labels.includes({json.dumps(text)})")
        if place % 4 == 0:
            page.mouse.move(*page.evaluate("(id) => __lamplighter.pixelOf(id)", EVERY * place))
            expect(page.get_by_test_id("card").locator("strong")).to_have_text(text)
    expect(page.get_by_test_id("neighbours").get_by_role("button")).not_to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect_plain_text(page)


def test_every_panel_the_districts_and_the_legend(page: Page) -> None:
    page.keyboard.press("Escape")
    open_panel(page, "map")
    names = json.dumps(READ)
    wait_for(page, f"{names}.some((name) => __lamplighter.labels.includes(name))")
    districts = page.get_by_test_id("districts")
    for name in READ:
        expect(districts.get_by_text(name, exact=True)).to_be_visible()
        expect(page.get_by_test_id("legend").get_by_text(name, exact=True)).to_be_visible()
    expect(page.get_by_test_id("map-in-words")).to_contain_text(READ[0])
    districts.get_by_text(READ[0], exact=True).click()
    expect(page.get_by_test_id("district-words").get_by_text(next(iter(TOKENS)), exact=True)).to_be_visible()
    # No token is in focus, so the cards begin with the selection.
    page.keyboard.press("Escape")
    show_level(page, "explore")
    listed = page.get_by_test_id("gathered-list").get_by_role("button")
    expect(listed).to_have_count(SIZE)
    assert set(TOKENS.values()) <= {text.strip() for text in listed.all_text_contents()}
    open_panel(page, "runs")
    expect(page.get_by_test_id("runs")).to_be_visible()
    for panel in LAB_PANELS:
        open_panel(page, panel)
        expect(page.get_by_test_id(f"tab-{panel}")).to_have_attribute("aria-selected", "true")
        if panel == "run":
            expect(page.get_by_test_id("recipe")).to_contain_text(
                "It was trained elsewhere: <b>e<b>. 60 kinds"
            )
    expect_plain_text(page)


def test_rows_of_the_matrix(page: Page) -> None:
    open_panel(page, "matrix")
    page.get_by_test_id("matrix-rows").select_option("id")
    page.get_by_test_id("matrix").focus()
    read = page.get_by_test_id("matrix-read")
    for text in list(TOKENS.values())[:6]:
        page.keyboard.press("ArrowDown")
        expect(read).to_contain_text(text)
        for _ in range(EVERY - 1):
            page.keyboard.press("ArrowDown")
    expect_plain_text(page)


def test_classes(page: Page, server: Application) -> None:
    page.goto(f"{server.url}/?run=classes&colour=class&legend=open&panel=token&token=3")
    expect(page.get_by_test_id("legend").get_by_text(CLASS_READ, exact=True)).to_be_visible()
    expect(page.get_by_test_id("token-kind").get_by_text(CLASS_READ, exact=True)).to_be_visible()
    page.get_by_test_id("token-numbers").locator("summary").click()
    expect(page.get_by_test_id("inspector").locator("dd").get_by_text(CLASS_READ, exact=True)).to_be_visible()
    page.get_by_test_id("search").fill("word3")
    found = page.get_by_test_id("found").first
    expect(found).to_contain_text(CLASS_READ)
    assert "\u202e" not in (found.text_content() or "")
    expect_plain_text(page)


def test_the_spy_detects_injected_elements(page: Page) -> None:
    """Otherwise the tests above could never fail."""
    page.evaluate("document.body.append(document.createElement('iframe'))")
    wait_for(page, "window.made.length > 0")
