"""A Chromium that draws in software, and its pages of 1280 x 720."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from playwright import async_api
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import launch_arguments

DARK: dict[str, Any] = {"color_scheme": "dark", "viewport": {"width": 1280, "height": 720}}
"""The options of a page."""


@contextmanager
def chromium() -> Generator[Browser]:
    """Start a browser, and close it at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments())  # pyright: ignore[reportArgumentType]
        yield browser
        browser.close()


@asynccontextmanager
async def async_chromium() -> AsyncGenerator[async_api.Browser]:
    """Start a browser, and close it at the end."""
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_arguments())  # pyright: ignore[reportArgumentType]
        yield browser
        await browser.close()
