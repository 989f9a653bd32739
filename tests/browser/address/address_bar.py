"""The address in the bar, and the choices on the page that change it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.pages import wait_for
from tests.support.application import Application

STEPS = 60
TWICE = "dog"
"""A text that two tokens of the second run share."""
HOSTILE = '<img src=x onerror="window.hit = 1">, \\"'
"""A text with a comma and a backslash, which lists of texts escape, and markup."""
DOG, OTHER_DOG, EVIL = 1, 20, 21
VIEW = "Object.fromEntries(new URLSearchParams(location.search))"
DRAWN = "window.__lamplighter?.shown && __lamplighter.beat"


@dataclass
class TwoRuns:
    """A run, and another one with ambiguous and hostile tokens and a second layout."""

    server: Application
    first: str
    second: str

    def link(self, query: str = "", run: str | None = None) -> str:
        """Return the address of a view of the second run, or of another one."""
        return f"{self.server.url}/?run={run or self.second}{query}"


def view(page: Page) -> dict[str, str]:
    """Return the keys of the address except the run."""
    keys: dict[str, str] = page.evaluate(VIEW)
    return {key: word for key, word in keys.items() if key != "run"}


def wait_for_view(page: Page, **keys: str | None) -> None:
    """Wait until keys of the address have these values; None: until they are gone."""
    for key, word in keys.items():
        wanted = "null" if word is None else f"'{word}'"
        wait_for(page, f"new URLSearchParams(location.search).get('{key}') === {wanted}", 10)


def expect_same_after_loading(page: Page) -> None:
    """Reload the page, and check that its address stays the same."""
    page.wait_for_timeout(400)
    before = view(page)
    page.goto(page.url)
    wait_for(page, "window.__lamplighter?.shown")
    page.wait_for_timeout(1_200)
    assert view(page) == before


def choose_word(page: Page, word: str, field: str = "search") -> None:
    page.get_by_test_id(field).fill(word)
    found = "found" if field == "search" else f"{field}-found"
    page.get_by_test_id(found).filter(has_text=word).first.click()


def press(page: Page, key: str) -> None:
    """Press a shortcut where no field or list handles the key."""
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)


def drag_map(page: Page, dx: float, dy: float, x: float = 500) -> None:
    wait_for(page, "document.querySelector('.city .nsewdrag')")
    page.mouse.move(x, 330)
    page.mouse.down()
    page.mouse.move(x + dx, 330 + dy, steps=8)
    page.mouse.up()
