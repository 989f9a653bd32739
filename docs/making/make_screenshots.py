"""Script that takes pictures of the page from a real run, frozen and with its typeface, in about seven minutes.

Run `python docs/making/make_screenshots.py` for `docs/screenshots/`, or name another folder to get every scene in every size.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lamplighter.runfolder.run_folder import RunFolder  # noqa: E402
from tests.browser.chromium import launch_arguments  # noqa: E402
from tests.browser.first_visit import PREFERENCES  # noqa: E402
from tests.browser.pages import choose_entry, wait_for  # noqa: E402
from tests.support.application import Application  # noqa: E402
from tests.support.runs import wait_for_step  # noqa: E402

OUT = ROOT / "docs" / "screenshots"
DESKTOP = (1280, 720)
SIZES = [DESKTOP, (390, 844), (844, 390), (1366, 625), (3840, 2160)]
KEPT = {
    **dict.fromkeys(("30s", "end", "city", "lab", "compare", "claims", "own-text"), DESKTOP),
    "word": (390, 844),
}
"""The scenes of the documentation, each with a size that it is shown in besides the usual one."""
EARLY = 10
LATER = 30
"""Seconds after the first light of two pictures of the run's beginning."""


def main(folder: Path, *, every_size: bool) -> None:
    """Watch a new run from its first step, then take the other pictures of it."""
    folder.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as runs,
        Application(Path(runs), hold=30) as application,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(**launch_arguments())
        context = browser.new_context(
            color_scheme="dark", viewport={"width": DESKTOP[0], "height": DESKTOP[1]}
        )
        page = context.new_page()

        def shoot(scene: str) -> None:
            for width, height in SIZES:
                if every_size or (scene in KEPT and (width, height) in (DESKTOP, KEPT[scene])):
                    page.set_viewport_size({"width": width, "height": height})
                    page.wait_for_timeout(1_500)
                    page.evaluate("document.fonts.ready.then(() => null)")
                    small = (width, height) == DESKTOP
                    name = f"{scene}.png" if small else f"{scene}-{width}x{height}.png"
                    page.screenshot(path=folder / name)
                    print(folder / name)
            page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})

        page.goto(application.launch_url)
        _watch_the_beginning(page, shoot)
        run = application.only_run()
        _take_the_rest(page, run, application.url, shoot)
        browser.close()


def _watch_the_beginning(page: Page, shoot: Callable[[str], None]) -> None:
    wait_for(page, "window.__lamplighter?.shown", 120)
    shoot("0s")
    wait_for(page, "window.__lamplighter?.beat?.paintedAt", 120)
    page.wait_for_timeout(1_000 * EARLY)
    _freeze(page)
    shoot("10s")
    choose_entry(page, "goLive")
    page.wait_for_timeout(1_000 * (LATER - EARLY))
    _freeze(page)
    shoot("30s")


def _take_the_rest(page: Page, run: RunFolder, url: str, shoot: Callable[[str], None]) -> None:
    steps = run.recipe.steps
    wait_for_step(run, steps, 900)
    page.goto(f"{url}/?run={run.id}")
    page.get_by_test_id("run-end").wait_for(state="visible", timeout=60_000)
    shoot("end")
    # From here on a visitor who has seen both cards.
    page.evaluate(
        f"localStorage.setItem({PREFERENCES!r}, JSON.stringify({{introduced: true, endings: false}}))"
    )
    for scene, view in {
        "city": f"at={steps}",
        "explore": f"at={steps}&panel=token",
        "district": f"at={steps}&panel=map",
        "beginning": "at=300&trails=movers",
        "lab": f"at={steps}&panel=step",
        "matrix": f"at={steps}&panel=matrix",
        "runs": "panel=runs",
    }.items():
        page.goto(f"{url}/?run={run.id}&{view}")
        wait_for(page, "window.__lamplighter?.shown", 60)
        page.wait_for_timeout(3_000)
        shoot(scene)
    page.goto(f"{url}/?run={run.id}&at={steps}")
    wait_for(page, "window.__lamplighter?.shown", 60)
    page.keyboard.press("/")
    page.keyboard.type("dog")
    page.keyboard.press("Enter")
    page.get_by_test_id("neighbours").wait_for(timeout=20_000)
    page.wait_for_timeout(3_000)
    shoot("word")
    page.get_by_test_id("compare-maps").click()
    page.wait_for_timeout(4_000)
    shoot("compare")
    page.goto(f"{url}/?run={run.id}&panel=claims&claim=6")
    # Opening the board as the presenter asks the examiner.
    wait_for(
        page, "document.querySelectorAll('[data-testid=claims] [data-state=unmeasured]').length === 1", 300
    )
    page.wait_for_timeout(2_000)
    shoot("claims")
    page.goto(f"{url}/?run={run.id}&panel=runs")
    page.get_by_test_id("new-run").click()
    page.get_by_label("Your own text").check()
    page.wait_for_timeout(1_000)
    shoot("own-text")


def _freeze(page: Page) -> None:
    """Stop the picture at the full light of a step."""
    page.keyboard.press("Space")
    page.wait_for_timeout(1_500)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT, every_size=len(sys.argv) > 1)
