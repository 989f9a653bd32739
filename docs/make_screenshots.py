"""Makes `docs/screenshots/` from a real run: `python docs/make_screenshots.py`, about two minutes."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.application import Application  # noqa: E402
from tests.browser.chromium import launch_arguments  # noqa: E402
from tests.browser.pages import wait_for  # noqa: E402
from tests.runs import wait_for_step  # noqa: E402

OUT = ROOT / "docs" / "screenshots"
TRAINED = 2_000
LIT = "window.__lamplighter?.litPixels?.() > 0"
BRIGHT = "window.__lamplighter.litPixels() > 2500"
"""A beat has just come: later it is nearly gone."""


def main() -> None:
    """Train the default run for a minute, then take the pictures while it goes on."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Application(Path(folder)) as application:
        run = application.only_run()
        wait_for_step(run, TRAINED, 300)
        # A calm pace: the picture is of a machine that draws, not of one that trains beside drawing.
        application.ask(run, "pace", steps_per_second=2)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_arguments())
            desktop = browser.new_context(viewport={"width": 1280, "height": 720})
            page = desktop.new_page()
            page.goto(application.launch_url)
            _shoot(page, "inspector")
            page.keyboard.press("i")
            _shoot(page, "city")
            _shoot(page, "token", f"{application.url}/?token={run.vocabulary.tokens.index('dog')}")
            _shoot(page, "linear", f"{application.url}/?map=linear")
            here = f"{application.url}/?run={run.id}"
            _shoot(page, "past", f"{here}&at=1200&colour=district&trails=movers&folded=1")
            _shoot(page, "beside", f"{here}&beside=step:600&folded=1")
            _shoot(page, "matrix", f"{application.url}/?panel=matrix")
            _shoot(page, "skyline", f"{application.url}/?map=skyline&folded=1", lit=False)
            phone = browser.new_context(viewport={"width": 390, "height": 844})
            _shoot(phone.new_page(), "phone", application.url)
            browser.close()


def _shoot(page: Page, name: str, url: str | None = None, *, lit: bool = True) -> None:
    if url:
        page.goto(url)
    if lit:
        wait_for(page, LIT, 60)
    page.wait_for_timeout(4_000 if lit else 12_000)
    if lit:
        # Between two beats most lamps sleep: wait for one to be on.
        wait_for(page, BRIGHT if name in ("city", "inspector") else LIT, 20)
    page.screenshot(path=OUT / f"{name}.png")
    print(OUT / f"{name}.png")


if __name__ == "__main__":
    main()
