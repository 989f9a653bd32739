from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.application import Application
from tests.browser.chromium import launch_arguments

DESKTOP = {"width": 1280, "height": 720}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for each file of tests: Playwright keeps an event loop running, in which others' cannot."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """`lamplighter`, training its first Lamptown run."""
    with Application(tmp_path_factory.mktemp("runs")) as started:
        yield started


@pytest.fixture(scope="module")
def presenter(application: Application, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser whose cookie is the presenter's."""
    context = chromium.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(application.launch_url)
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(application: Application, presenter: BrowserContext) -> Iterator[Page]:
    """The city, as the presenter sees it; fails if the page itself complains."""
    opened = presenter.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(f"{error}\n{error.stack}"))

    def on_console(said: ConsoleMessage) -> None:
        # A refused request or a lost socket is the browser's own report of what the page then explains.
        network = said.text.startswith(("Failed to load resource", "WebSocket connection to"))
        if said.type == "error" and not network:
            faults.append(said.text)

    opened.on("console", on_console)
    opened.goto(application.url)
    yield opened
    opened.close()
    assert not faults
