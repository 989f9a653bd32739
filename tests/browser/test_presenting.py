"""How a browser gains and loses the presenter's rights, and the page under a path, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.settings import ServerSettings
from tests.browser.axe import find_violations
from tests.browser.map_page import write_maps
from tests.browser.pages import open_panel, wait_for
from tests.support.folders import FakeTrainer, V, make_run
from tests.support.machine.path_proxy import PathProxy
from tests.support.served import ServerThread

pytestmark = [pytest.mark.browser, pytest.mark.tour]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep launch files out of the real home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(12)
    write_maps(trainer.run.layouts_path, V, (10,), ("animals", "marks"))
    trainer.end("finished")
    return tmp_path


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("own_name", [True, False])
def test_the_launch_file_opens_the_page_under_a_name_that_the_browser_resolves(
    runs: Path, page: Page, own_name: bool
) -> None:
    server = ServerThread(ServerSettings(runs, port=0, roles=(), own_name=own_name)).start()
    try:
        # Also on a run that is named, as `lamplighter runs open` does.
        (run,) = RunStore(runs).runs()
        file = server.ready.write_launch_file(run.id if own_name else None)
        assert file is not None
        page.goto(file.as_uri())
        host = "lamplighter.localhost" if own_name else "127.0.0.1"
        page.wait_for_url(f"http://{host}:{server.port}/{f'?run={run.id}' if own_name else ''}*")
        open_panel(page, "runs")
        expect(page.get_by_test_id("new-run")).to_be_enabled()
        assert not file.exists()
        # A program on another port of the same host receives the cookie, but never the key.
        (cookie,) = page.context.cookies()
        assert (cookie["domain"], cookie["httpOnly"], cookie["sameSite"]) == (host, True, "Strict")
        assert page.evaluate(
            "Object.keys(localStorage).filter((name) => name.startsWith('lamplighter.key'))"
        ) == ["lamplighter.key /"]
    finally:
        server.stop()


def test_the_presenter_sees_and_ends_the_browsers_in_control(
    runs: Path, page: Page, chromium: Browser
) -> None:
    server = ServerThread(ServerSettings(runs, port=0, roles=())).start()
    gate = server.services.gate
    other = chromium.new_context()
    try:
        elsewhere = other.new_page()
        elsewhere.goto(gate.issue_launch_url())
        elsewhere.wait_for_url(f"http://127.0.0.1:{server.port}/*")
        page.goto(gate.issue_launch_url())
        page.wait_for_url(f"http://127.0.0.1:{server.port}/*")
        open_panel(page, "run")
        listed = page.get_by_test_id("browser-sessions")
        summary = listed.locator("summary")
        summary.focus()
        page.keyboard.press("Enter")
        expect(listed.locator("li")).to_have_count(2)
        expect(listed.locator("li").first).to_contain_text("This browser")
        assert find_violations(page, "aside") == []
        listed.locator("li").nth(1).get_by_test_id("end-session").focus()
        page.keyboard.press("Enter")
        expect(listed.get_by_test_id("end-sure")).to_be_focused()
        page.keyboard.press("Enter")
        expect(listed.locator("li")).to_have_count(1)
        open_panel(elsewhere, "runs")
        expect(elsewhere.get_by_test_id("new-run")).to_have_count(0, timeout=15_000)
        open_panel(elsewhere, "run")
        expect(elsewhere.get_by_test_id("processes")).to_be_visible()
        expect(elsewhere.get_by_test_id("browser-sessions")).to_have_count(0)
        listed.get_by_test_id("end-session").click()
        listed.get_by_test_id("end-sure").click()
        expect(listed).to_have_count(0)
        expect(page.get_by_test_id("processes")).to_be_visible()
        assert page.context.cookies() == []
        assert gate.credentials.sessions.list_sessions() == []
    finally:
        other.close()
        server.stop()


def test_the_whole_page_works_under_a_path(runs: Path, page: Page) -> None:
    proxy = PathProxy("/lamplighter")
    behind = f"http://localhost:{proxy.port}/lamplighter"
    server = ServerThread(ServerSettings(runs, port=0, roles=(), behind=behind)).start()
    proxy.target = server.port
    amiss: list[str] = []
    page.on("pageerror", lambda error: amiss.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            amiss.append(asked.url) if not asked.url.startswith((behind, "data:", "blob:")) else None
        ),
    )
    page.on(
        "response",
        lambda answer: amiss.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
    )
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    try:
        page.goto(server.ready.launch_url)
        page.wait_for_url(f"{behind}/*")
        wait_for(page, "window.__lamplighter?.shown")
        # Lazily loaded parts, and plotly.js.
        for tab in ("matrix", "map", "export", "runs"):
            open_panel(page, tab)
        expect(page.get_by_test_id("new-run")).to_be_enabled()
        wait_for(page, "window.Plotly || document.querySelector('script[src$=\"plotly.min.js\"]')")
        page.reload()
        wait_for(page, "window.__lamplighter?.shown")
        assert sockets
        assert all(url.startswith(behind.replace("http", "ws", 1)) for url in sockets)
        assert amiss == []
    finally:
        server.stop()
        proxy.close()
