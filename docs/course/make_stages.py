"""Script that takes a picture of every stage of the course, on a finished Lamptown run of which it has asked everything.

Run `python docs/course/make_stages.py [FOLDER]`; it takes about eight minutes, two of them for the run, unless
`LAMPLIGHTER_BENCH_RUN` names the folder of one. `--phone` takes them at the size of a phone. A part that the run cannot tell is
left out; `--part=12` takes that part alone, for which `LAMPLIGHTER_BENCH_RUN` names a run on the novels.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.support.training import finished_run  # noqa: E402
from tests.browser.chromium import launch_arguments  # noqa: E402
from tests.browser.first_visit import SEEN  # noqa: E402
from tests.browser.places.course import walk_part  # noqa: E402
from tests.support.application import Application  # noqa: E402

OUT = ROOT / "docs" / "course" / "stages"
LAPTOP: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 390, "height": 844}
REST = 2_500
"""Milliseconds for which a stage's picture may move before it is taken."""
QUALITY, SCALE = 60, 0.8
"""Quality of the pictures, of 100, and their size beside that of the page: there are a hundred of them."""


def main(folder: Path, size: ViewportSize, only: int | None) -> None:
    """Take a picture of each stage of every part, or of one part."""
    folder.mkdir(parents=True, exist_ok=True)
    found = finished_run()
    with tempfile.TemporaryDirectory() as runs, sync_playwright() as playwright:
        shutil.copytree(found.path, Path(runs) / found.id)
        command = Path(sys.executable).with_name("lamplighter")
        subprocess.run([command, "examine", found.id, "--prepare", "lessons", "--runs", runs], check=True)
        browser = playwright.chromium.launch(**launch_arguments())
        with Application(Path(runs), "serve", "--no-workers") as application:
            context = browser.new_context(color_scheme="dark", viewport=size, device_scale_factor=SCALE)
            context.add_init_script(SEEN)
            page = context.new_page()
            page.goto(application.launch_url)
            page.wait_for_url(f"{application.url}/*")
            for part in application.get("/api/lessons")["items"]:
                number = part["number"]
                told = application.get(f"/api/runs/{found.id}/lessons/{number}")
                if told["missing_words"] or only not in (None, number):
                    continue
                page.goto(f"{application.url}/?run={found.id}&lesson={number}.1")
                _take(page, folder, number)
        browser.close()


def _take(page: Page, folder: Path, part: int) -> None:
    for stage in walk_part(page, 60_000):
        page.wait_for_timeout(REST)
        path = folder / f"{part:02}-{stage.number:02}.jpg"
        page.screenshot(path=path, type="jpeg", quality=QUALITY)
        print(path)


if __name__ == "__main__":
    named = [word for word in sys.argv[1:] if not word.startswith("-")]
    parts = [int(word.removeprefix("--part=")) for word in sys.argv[1:] if word.startswith("--part=")]
    main(
        Path(named[0]) if named else OUT,
        PHONE if "--phone" in sys.argv else LAPTOP,
        parts[0] if parts else None,
    )
