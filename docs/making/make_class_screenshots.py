"""Script that takes the pictures of `docs/classroom.md`: a real class of one presenter and three phones.

Run `python docs/making/make_class_screenshots.py [FOLDER]`; it takes about two minutes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser.chromium import launch_arguments  # noqa: E402
from tests.browser.first_visit import PREFERENCES  # noqa: E402
from tests.browser.pages import choose_entry, wait_for  # noqa: E402
from tests.support.application import Application  # noqa: E402
from tests.support.runs import wait_for_step  # noqa: E402

OUT = ROOT / "docs" / "screenshots"
PHONE: ViewportSize = {"width": 390, "height": 844}
LAPTOP: ViewportSize = {"width": 1280, "height": 720}
WALL: ViewportSize = {"width": 1920, "height": 1080}
SEEN_BOTH_CARDS = (
    f"localStorage.setItem({PREFERENCES!r}, JSON.stringify({{introduced: true, endings: false}}))"
)
SHOWN_STEP = 300
GUESSES = ("120", "160", "260")


def main(folder: Path) -> None:
    """Hold a class on a new run, and take its pictures."""
    folder.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as runs,
        sync_playwright() as playwright,
        Application(Path(runs), "--classroom", "--class-port", "8601") as application,
    ):
        browser = playwright.chromium.launch(**launch_arguments())
        presenter = _open_page(browser, LAPTOP)
        presenter.goto(application.new_launch_url())
        wait_for(presenter, "window.__lamplighter?.shown", 120)
        run = application.only_run()
        wait_for_step(run, SHOWN_STEP, 600)
        # Browsers that draw in software need the processor to themselves.
        application.ask(run, "pause")
        described = application.get("/api/class")
        viewers = [_open_page(browser, PHONE, touch=True) for _ in GUESSES]
        _take_joining(presenter, viewers, described, folder)
        _take_following(presenter, viewers[0], folder)
        _take_predicting(presenter, viewers, folder)
        browser.close()


def _open_page(browser: Browser, size: ViewportSize, *, touch: bool = False) -> Page:
    context = browser.new_context(color_scheme="dark", viewport=size, has_touch=touch, is_mobile=touch)
    context.add_init_script(SEEN_BOTH_CARDS)
    return context.new_page()


def _take_joining(presenter: Page, viewers: list[Page], described: dict[str, str], folder: Path) -> None:
    choose_entry(presenter, "class")
    presenter.get_by_test_id("show-large").click()
    presenter.set_viewport_size(WALL)
    presenter.wait_for_timeout(1_000)
    _shoot(presenter, folder / "class-join.png")
    presenter.set_viewport_size(LAPTOP)
    presenter.keyboard.press("Escape")
    first, *others = viewers
    first.goto(described["addresses"][0])
    field = first.get_by_role("textbox")
    field.fill(described["code"])
    _shoot(first, folder / "class-phone.png")
    field.press("Enter")
    for viewer in others:
        viewer.goto(described["link"])
    for viewer in viewers:
        # The way in makes way for the page.
        expect(viewer.locator("#page header")).to_be_visible(timeout=60_000)
        wait_for(viewer, "window.__lamplighter?.lit.length > 0", 60)


def _take_following(presenter: Page, phone: Page, folder: Path) -> None:
    presenter.get_by_test_id("lead").check()
    presenter.keyboard.press("/")
    presenter.keyboard.type("dog")
    presenter.keyboard.press("Enter")
    expect(phone.get_by_test_id("follow-chip")).to_contain_text("Following the presenter")
    wait_for(phone, "location.search.includes('word=dog')")
    presenter.wait_for_timeout(4_000)
    _shoot(presenter, folder / "class-follow.png")
    _shoot(phone, folder / "class-follow-phone.png")
    presenter.keyboard.press("Escape")


def _take_predicting(presenter: Page, viewers: list[Page], folder: Path) -> None:
    if presenter.get_by_test_id("subject-lit_next").count() == 0:
        choose_entry(presenter, "class")
    presenter.get_by_test_id("subject-lit_next").check()
    presenter.get_by_test_id("send-question").click()
    for viewer, guess in zip(viewers, GUESSES, strict=True):
        viewer.get_by_test_id("answer-field").fill(guess)
        viewer.get_by_test_id("send-answer").click()
    expect(presenter.get_by_test_id("answered-of")).to_have_text(
        f"{len(viewers)} of {len(viewers)} have answered"
    )
    _shoot(viewers[1], folder / "class-predict-phone.png")
    presenter.get_by_test_id("close-question").click()
    presenter.get_by_test_id("training-menu").click()
    presenter.get_by_test_id("step-once").first.click()
    presenter.get_by_test_id("reveal-question").click(timeout=30_000)
    expect(presenter.get_by_test_id("measured").first).to_be_visible()
    presenter.wait_for_timeout(3_000)
    _shoot(presenter, folder / "class-predict.png")


def _shoot(page: Page, path: Path) -> None:
    page.evaluate("document.fonts.ready.then(() => null)")
    page.screenshot(path=path)
    print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
