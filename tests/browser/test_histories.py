"""The page of a history of checkpoints: its check, its own steps, the words that stayed; from a server and in a gallery."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.packing import nearest, packed_run
from lamplighter.packing.page import write_gallery
from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.fixtures import FinishedRun, sound_page
from tests.browser.packed import host_files
from tests.browser.pages import open_panel, wait_for
from tests.support.synthetic_runs.checkpoint_run import DEAD, NUMBERS, WORDS, make_checkpoint_run

pytestmark = pytest.mark.browser

LAST = len(NUMBERS) - 1
MIDDLE = 5
"""A step between those at which the page itself holds neighbours."""


@pytest.fixture(scope="module")
def run(finished_run: FinishedRun) -> RunFolder:
    return make_checkpoint_run(finished_run.server.runs / "history")


@pytest.fixture(scope="module")
def gallery(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a gallery whose page has room for the neighbours of two steps."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(packed_run, "_HISTORY_BYTES", (4_800_000, 700_000, 100))
        patched.setattr(nearest, "WORDS_OF_A_FILE", 50)
        patched.setattr(packed_run, "WORDS_OF_A_FILE", 50)
        return write_gallery([run], tmp_path_factory.mktemp("gallery") / "site")


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium) as page:
        yield page


def expect_history(page: Page) -> None:
    """Check what the check found, a walk over the real steps, and the words that stayed."""
    wait_for(page, "window.__lamplighter?.shown")
    page.get_by_test_id("history").click()
    found = page.locator(":popover-open")
    expect(found).to_contain_text("hold, number for number, the table of step 128, the last: steps 4 and 16")
    page.keyboard.press("Escape")
    scrubber = page.get_by_test_id("scrubber")
    scrubber.focus()
    page.keyboard.press("Home")
    for number in NUMBERS:
        expect(page.get_by_test_id("step")).to_have_text(str(number))
        page.keyboard.press("ArrowRight")
    open_panel(page, "measures")
    expect(page.get_by_test_id("stayed")).to_contain_text(str(len(DEAD)))
    page.get_by_test_id("show-stayed").click()
    listed = page.get_by_test_id("gathered-list").locator("li")
    expect(listed).to_have_count(len(DEAD))
    expect(listed.first).to_contain_text(WORDS[DEAD[0]])


def test_a_history_says_what_is_wrong_and_which_words_stayed(
    finished_run: FinishedRun, run: RunFolder, page: Page
) -> None:
    page.goto(f"{finished_run.server.url}/?run={run.id}")
    expect_history(page)


@pytest.mark.tour
@pytest.mark.parametrize("where", ["file", "host"])
def test_a_gallery_loads_more_neighbours_from_beside_the_page(gallery: Path, page: Page, where: str) -> None:
    name = next(path.name for path in gallery.glob("*.html") if path.name != "index.html")
    with host_files(gallery) as address:
        base = gallery.as_uri() + "/" if where == "file" else address
        asked: list[str] = []
        page.on("request", lambda sent: asked.append(sent.url))
        page.goto(f"{base}{name}")
        expect_history(page)
        page.goto(f"{base}{name}?at={MIDDLE}&panel=token&token=70")
        neighbours = page.get_by_test_id("neighbours")
        expect(neighbours).to_have_attribute("data-step", str(MIDDLE))
        expect(neighbours.locator("li")).to_have_count(4)
        words = [one.rpartition("/")[2] for one in asked if "-words/" in one]
        assert words == ["1.js"], "one file, once, and only for the word that was asked for"


@pytest.mark.tour
def test_a_page_of_a_gallery_alone_has_fewer_neighbours(gallery: Path, page: Page, tmp_path: Path) -> None:
    alone = shutil.copy(next(path for path in gallery.glob("*.html") if path.name != "index.html"), tmp_path)
    page.goto(f"{Path(alone).as_uri()}?at={MIDDLE}&panel=token&token=70")
    expect(page.get_by_test_id("neighbours")).to_have_attribute("data-step", "0")
    expect(page.get_by_test_id("neighbours").locator("li")).to_have_count(3)
