from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.application import Application
from tests.browser.chromium import launch_arguments

DESKTOP = {"width": 1280, "height": 720}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Launch a browser for each test file: Playwright's event loop would block those of other tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Start `lamplighter`, which trains its first Lamptown run."""
    with Application(tmp_path_factory.mktemp("runs")) as started:
        yield started


@pytest.fixture(scope="module")
def presenter(application: Application, chromium: Browser) -> Iterator[BrowserContext]:
    """Open a browser context that holds the presenter's cookie."""
    context = chromium.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(application.launch_url)
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(application: Application, presenter: BrowserContext) -> Iterator[Page]:
    """Open the map as the presenter; fail if the page reports an error."""
    opened = presenter.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(f"{error}\n{error.stack}"))

    def on_console(said: ConsoleMessage) -> None:
        # The browser itself reports refused requests and lost sockets, which the page then explains.
        network = said.text.startswith(("Failed to load resource", "WebSocket connection to"))
        if said.type == "error" and not network:
            faults.append(said.text)

    opened.on("console", on_console)
    opened.goto(application.url)
    yield opened
    opened.close()
    assert not faults
