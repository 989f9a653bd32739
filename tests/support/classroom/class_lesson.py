"""A lesson in a class: the presenter's page and those of viewers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, StorageState, ViewportSize, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.map_page import write_maps
from tests.browser.pages import choose_entry, wait_for
from tests.support.application import Application
from tests.support.folders import FakeTrainer, V, make_run

PHONE: ViewportSize = {"width": 390, "height": 844}
LAPTOP: ViewportSize = {"width": 1280, "height": 720}
BEGUN = 60


@dataclass
class Lesson:
    """A class with a run that trains on the test's command."""

    server: Application
    trainer: FakeTrainer
    chromium: Browser
    presenter: Page
    viewers: list[Page]

    @property
    def run(self) -> str:
        """Return the id of the run."""
        return self.trainer.run.id

    @property
    def known(self) -> dict[str, Any]:
        """Return the server's description of the class for the presenter."""
        return self.server.get("/api/class")

    @property
    def address(self) -> str:
        """Return the URL at which the class joins."""
        return str(self.known["addresses"][0])

    def newcomer(self, phone: bool = False) -> Page:
        """Return an empty page of a visitor who has not joined; it fails the test if it reports an error."""
        return open_page(self.chromium, phone)

    def train(self, steps: int) -> None:
        """Train some steps, with a map at the last."""
        self.trainer.train(steps)
        write_maps(self.trainer.run.layouts_path, V, (self.trainer.step,), ("animals", "marks"))


def open_page(chromium: Browser, phone: bool, known: StorageState | None = None) -> Page:
    context = chromium.new_context(
        viewport=PHONE if phone else LAPTOP,
        has_touch=phone,
        is_mobile=phone,
        reduced_motion="reduce",
        storage_state=known,
    )
    page = context.new_page()
    page.faults = []  # pyright: ignore[reportAttributeAccessIssue]
    page.on("pageerror", lambda error: page.faults.append(f"{error}\n{error.stack}"))  # pyright: ignore
    return page


def begin_lesson(
    server: Application, chromium: Browser, steps: int, begun: int, viewers: Sequence[tuple[bool, bool]]
) -> Iterator[Lesson]:
    """Yield a lesson on a run of `steps`, currently at step `begun`.

    `viewers`: whether each has a phone, and joins by link.
    """
    trainer = FakeTrainer(make_run(RunStore(server.runs), steps=steps)).begin().train(begun)
    write_maps(trainer.run.layouts_path, V, range(0, begun + 1, 10), ("animals", "marks"))
    presenter = open_page(chromium, phone=False)
    presenter.goto(server.new_launch_url())
    presenter.wait_for_url(f"{server.url}/*")
    lesson = Lesson(server, trainer, chromium, presenter, [])
    for phone, by_link in viewers:
        viewer = lesson.newcomer(phone=phone)
        join(lesson, viewer, by_link=by_link)
        lesson.viewers.append(viewer)
    yield lesson
    trainer.end()
    for page in (presenter, *lesson.viewers):
        assert not page.faults  # pyright: ignore[reportAttributeAccessIssue]
        page.context.close()


def join(lesson: Lesson, page: Page, by_link: bool = True) -> None:
    """Join by the link of the QR code, or by typing the code; wait until lamps are lit."""
    if by_link:
        page.goto(lesson.known["link"])
    else:
        page.goto(lesson.address)
        page.get_by_role("textbox").fill(lesson.known["code"].lower())
        page.get_by_role("button", name="Join").click()
    wait_for_lamps(page)


def wait_for_lamps(page: Page) -> None:
    # The join page gives way to the main page.
    expect(page.locator("#page header")).to_be_visible()
    wait_for(page, "window.__lamplighter?.lit.length > 0")


def open_class(lesson: Lesson) -> Page:
    """Open the presenter's class panel."""
    page = lesson.presenter
    if page.get_by_test_id("class-code").count() == 0:
        choose_entry(page, "class")
    expect(page.get_by_test_id("class-count")).to_be_visible()
    return page


def lead(lesson: Lesson, on: bool) -> None:
    """Make the class follow the presenter, or stop following."""
    open_class(lesson).get_by_test_id("lead").set_checked(on)
