"""Helpers that poll a page for a condition, use its menus and panels, find controls outside the window, and cut the page
off from its server.

Playwright's own `wait_for_function` evaluates strings, which the page's policy forbids.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

_ROOT = Path(__file__).parents[2]
_OPTIONS = (_ROOT / "frontend/src/model/view/view-options.ts").read_text("utf-8")

PANELS: list[str] = json.loads((_ROOT / "backend/lamplighter/lessons/view_query.json").read_text("utf-8"))[
    "choices"
]["panel"]
LAB_PANELS = re.findall(r'"(\w+)"', _OPTIONS.partition("LAB_PANELS = [")[2].partition("]")[0])
"""All panels, and those that are tabs of the lab."""
assert 5 <= len(LAB_PANELS) < len(PANELS)
_GO = """(address) => {
    history.pushState(null, '', address);
    dispatchEvent(new PopStateEvent('popstate'));
}"""
OUTSIDE = """() => [...document.querySelectorAll('button, select, dd, dt, input')]
    .filter((one) => one.checkVisibility() && !one.closest('.tabs, .unseen, [role=tablist], [data-testid=reading], [data-testid=said]'))
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([, { left, right, width }]) => width && (left < -1 || right > innerWidth + 1))
    .map(([one]) => one.outerHTML.slice(0, 160))"""
"""Controls and figures outside the window, where they cannot be reached."""


def wait_for(page: Page, expression: str, timeout: float = 40, every: float = 0.05) -> Any:
    """Wait until a JavaScript expression is true. Returns its value; the error names the expression."""
    deadline = time.monotonic() + timeout
    while not (value := page.evaluate(expression)):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for the page: {expression}")
        page.wait_for_timeout(1e3 * every)
    return value


def wait_for_frame(page: Page) -> None:
    """Wait until the page has handled what happened so far, and drawn it."""
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


def show_address(page: Page, address: str) -> None:
    """Show an address: within the page if it is there already, as Back and Forward do, which is faster."""
    if page.url.startswith(address.partition("?")[0]):
        page.evaluate(_GO, address)
    else:
        page.goto(address)


def open_view(page: Page) -> None:
    """Open the page's menu, which holds the view, unless it is open."""
    maps = page.get_by_test_id("map-umap")
    if not maps.is_visible():
        page.get_by_test_id("page-menu").click()
    expect(maps).to_be_visible()


def close_menu(page: Page) -> None:
    """Close the menu by key if it is open: some of its commands close it, and Escape then closes what they opened."""
    if page.locator(":popover-open").count():
        page.keyboard.press("Escape")
    expect(page.locator(":popover-open")).to_have_count(0)


def show_map(page: Page, kind: str) -> None:
    """Choose a map in the menu of the view: "umap" or "linear"."""
    open_view(page)
    page.get_by_test_id(f"map-{kind}").click()
    close_menu(page)


def colour_by(page: Page, measure: str) -> None:
    """Choose the colouring in the menu of the view."""
    open_view(page)
    page.get_by_test_id("colour").select_option(measure)
    close_menu(page)


def show_level(page: Page, level: str) -> None:
    """Choose the level of the page: "watch", "explore" or "lab"."""
    button = page.get_by_test_id(f"level-{level}")
    # A page that is still loading has neither, and `is_visible` does not wait.
    expect(button.or_(page.get_by_test_id("page-menu")).filter(visible=True).first).to_be_visible(
        timeout=30_000
    )
    if not button.is_visible():
        page.get_by_test_id("page-menu").click()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    close_menu(page)


def choose_entry(page: Page, name: str) -> None:
    """Choose a panel or command in the search, by its name in the page's code: "ask", "toggleMap"."""
    page.keyboard.press("Control+k")
    page.get_by_test_id(f"entry-{name}").click()


def open_panel(page: Page, panel: str) -> None:
    """Open a panel as a person does: the list of runs from the top bar, any other as a tab of the lab."""
    if panel == "runs":
        page.get_by_test_id("open-runs").click()
        return
    if not page.get_by_test_id(f"tab-{panel}").is_visible():
        show_level(page, "lab")
    page.get_by_test_id(f"tab-{panel}").click()


_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
    constructor(...given) { super(...given); window.sockets.push(this) }
};
"""
_NOT_OPEN = "document.querySelector('[data-testid=connection]').dataset.state !== 'open'"


def remember_sockets(context: BrowserContext) -> None:
    """Make pages opened from now on remember their sockets, so that `cut_connection` can close them."""
    context.add_init_script(_SOCKETS)


def cut_connection(page: Page) -> None:
    """Close the page's sockets and go offline, until `set_offline(False)`.

    The order matters: offline the close may go unanswered, and the socket lingers for a minute.
    """
    while True:
        page.evaluate("window.sockets.forEach((socket) => socket.close())")
        wait_for(page, _NOT_OPEN)
        page.context.set_offline(True)
        if page.evaluate(_NOT_OPEN):
            return
        # The page reconnected just before the network went down.
        page.context.set_offline(False)
