from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    StorageState,
    expect,
    sync_playwright,
)

from lamplighter.runfolder.reading.run_status import read_status
from tests.browser.chromium import launch_arguments
from tests.browser.first_visit import returning_visitors
from tests.browser.fixtures import DESKTOP, SMALL_TOWN, FinishedRun, serve_finished_run, sound_page, training
from tests.support.application import Application
from tests.support.waiting import wait_until

# For busy machines; only failing tests wait this long.
expect.set_options(timeout=20_000)
SLOW_SCREEN = """
window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 70);
window.cancelAnimationFrame = clearTimeout;
"""
"""14 frames a second: drawn in software, each takes processor time that servers and other tests need."""


@pytest.fixture(scope="session")
def launched() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """Launch a browser once for all test files. Yields it and Playwright's event loop, which is not the thread's while
    other tests run.

    Its visitors have seen the introduction, unless a test says otherwise.
    """
    with sync_playwright() as playwright:
        # Only the map needs WebGL: a frame of the whole page, drawn by it in software, takes twice the processor time.
        browser = playwright.chromium.launch(**launch_arguments("--disable-gpu-compositing"))
        new_context = browser.new_context

        def context_with_slow_screen(**options: Any) -> BrowserContext:
            context = new_context(**options)
            context.add_init_script(SLOW_SCREEN)
            return context

        browser.new_context = context_with_slow_screen
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield returning_visitors(browser), loop
        asyncio._set_running_loop(loop)
        browser.close()


@pytest.fixture(scope="module")
def chromium(launched: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """Lend the browser to a test file, with Playwright's loop as the thread's: it would block those of other tests."""
    browser, loop = launched
    asyncio._set_running_loop(loop)
    yield browser
    for context in browser.contexts:
        context.close()
    asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def live_application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Start `lamplighter` with a small running training, once for all test files that use `application`."""
    with training(tmp_path_factory.mktemp("runs"), SMALL_TOWN) as started:
        yield started


@pytest.fixture(scope="session")
def whole_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Start `lamplighter` with a running training on the full Lamptown, once for all files of the tour."""
    with training(tmp_path_factory.mktemp("runs")) as started:
        yield started


@pytest.fixture(scope="module")
def application(request: pytest.FixtureRequest) -> Iterator[Application]:
    """Let a live application's run train while a test file uses it; files of the tour use the full town."""
    tour = request.node.get_closest_marker("tour")
    live: Application = request.getfixturevalue("whole_town" if tour else "live_application")
    run = live.only_run()
    live.ask(run, "resume")
    wait_until(lambda: read_status(run).phase == "running", "the run to go on")
    yield live
    live.ask(run, "pause")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FinishedRun]:
    """Build a finished run to travel through, once for all test files that use it."""
    with serve_finished_run(tmp_path_factory.mktemp("runs")) as finished:
        yield finished


@pytest.fixture(scope="session")
def known_sessions() -> dict[str, StorageState]:
    """Hold the presenter's sessions, cookie and key, by application address, because a launch link works only
    once.
    """
    return {}


@pytest.fixture(scope="module")
def presenting(
    finished_run: FinishedRun, chromium: Browser, known_sessions: dict[str, StorageState]
) -> StorageState:
    """Hold the presenter's session on the server of the finished run."""
    url = finished_run.server.url
    if url not in known_sessions:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(finished_run.server.new_launch_url())
        page.wait_for_url(f"{url}/*")
        known_sessions[url] = context.storage_state()
        context.close()
    return known_sessions[url]


@pytest.fixture(scope="module")
def desk(chromium: Browser, presenting: StorageState) -> Iterator[Page]:
    """Open a page for all tests of a file, as the presenter on the server of the finished run."""
    with sound_page(chromium, storage_state=presenting) as opened:
        yield opened


@pytest.fixture(scope="module")
def presenter(
    application: Application, chromium: Browser, known_sessions: dict[str, StorageState]
) -> Iterator[BrowserContext]:
    """Open a browser context that holds the presenter's session."""
    known = known_sessions.get(application.url)
    context = chromium.new_context(viewport=DESKTOP, storage_state=known)
    if known is None:
        page = context.new_page()
        page.goto(application.new_launch_url())
        page.wait_for_url(f"{application.url}/*")
        page.close()
        known_sessions[application.url] = context.storage_state()
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
