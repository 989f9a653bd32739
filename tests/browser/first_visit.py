"""First-time and returning visitors: only the first get the introductory cards."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

PREFERENCES = "lamplighter.comfort"
SEEN = f"""(() => {{
    try {{
        if (localStorage.getItem("{PREFERENCES}") === null)
            localStorage.setItem("{PREFERENCES}", '{{"introduced":true,"endings":false}}');
    }} catch {{ /* a page that may not store anything */ }}
}})()"""
"""A script that marks a visitor as returning, without cards at the end of a run."""


def returning_visitors(browser: Browser) -> Browser:
    """Make every context and page of a browser belong to a returning visitor, whose system is dark unless the
    options say otherwise. Returns the browser.
    """
    make_any_context = browser.new_context

    def make_context(**options: Any) -> BrowserContext:
        options.setdefault("color_scheme", "dark")
        return make_any_context(**options)

    def new_context(**options: Any) -> BrowserContext:
        context = make_context(**options)
        context.add_init_script(SEEN)
        return context

    def new_page(**options: Any) -> Page:
        return new_context(**options).new_page()

    browser.new_context = new_context
    browser.new_page = new_page
    browser.new_first_context = make_context  # pyright: ignore[reportAttributeAccessIssue]
    return browser


def first_visit(browser: Browser, **options: Any) -> BrowserContext:
    """Return a browser context of a first-time visitor."""
    return browser.new_first_context(**options)  # pyright: ignore[reportAttributeAccessIssue]
