"""Script that takes `docs/screenshots/` from a real run, in about two minutes.

Run `python docs/make_screenshots.py`.
"""

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
"""True right after a beat has come; later its light has nearly faded."""


def main() -> None:
    """Train the default run for a minute, then take the pictures while it trains on."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Application(Path(folder)) as application:
        run = application.only_run()
        wait_for_step(run, TRAINED, 300)
        # A calm pace: show a machine that only draws, not one that trains at full speed beside it.
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
        # Between two beats most lamps are dark: wait until some are lit.
        wait_for(page, BRIGHT if name in ("city", "inspector") else LIT, 20)
    page.screenshot(path=OUT / f"{name}.png")
    print(OUT / f"{name}.png")


if __name__ == "__main__":
    main()
