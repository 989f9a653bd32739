"""Polling of the page for a condition, and a script that finds controls outside the window.

Playwright's own `wait_for_function` evaluates strings, which the page's policy forbids.
"""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page

OUTSIDE = """() => [...document.querySelectorAll('button, select, dd, dt, input')]
    .filter((one) => one.checkVisibility() && !one.closest('.tabs, .unseen, [role=tablist], .modebar'))
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([, { left, right, width }]) => width && (left < -1 || right > innerWidth + 1))
    .map(([one]) => one.outerHTML.slice(0, 160))"""
"""Controls and figures outside the window, out of reach."""


def wait_for(page: Page, expression: str, timeout: float = 40, every: float = 0.05) -> Any:
    """Wait until a JavaScript expression is true. Returns its value; the error names the expression."""
    deadline = time.monotonic() + timeout
    while not (value := page.evaluate(expression)):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for the page: {expression}")
        page.wait_for_timeout(1e3 * every)
    return value
