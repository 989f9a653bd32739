"""The teacher's pages: opened from the list of parts by the presenter only, with the run's numbers and
addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import find_violations
from tests.browser.places.course import write_first_part
from tests.support.application import Application
from tests.support.classroom.class_lesson import Lesson, begin_lesson

pytestmark = [pytest.mark.browser, pytest.mark.tour]

PAGE = "[data-testid=teacher-page]"


@pytest.fixture
def lesson(tmp_path: Path, chromium: Browser) -> Iterator[Lesson]:
    """Begin a lesson with one viewer."""
    texts = str(write_first_part(tmp_path / "texts"))
    words = ("--no-workers", "--classroom", "--class-host", "127.0.0.1", "--class-port", "0")
    with Application(tmp_path / "runs", "serve", *words, "--lessons", texts) as server:
        yield from begin_lesson(server, chromium, 40, 40, [(True, True)])


def test_only_the_presenter_reads_the_teachers_page(lesson: Lesson) -> None:
    presenter, (phone,) = lesson.presenter, lesson.viewers
    run = lesson.trainer.run.id
    presenter.goto(f"{lesson.server.url}/?run={run}&lesson=0")
    expect(presenter.get_by_test_id("aim")).to_have_count(12, timeout=20_000)
    expect(presenter.get_by_test_id("before-course")).to_be_visible()
    # Part 11 is a list for reference, and has no page.
    expect(presenter.get_by_test_id("teacher-11")).to_have_count(0)
    assert find_violations(presenter, "[data-testid=course]") == []
    with presenter.context.expect_page() as opened:
        presenter.get_by_test_id("teacher-1").click()
    page = opened.value
    expect(page.get_by_test_id("print")).to_be_enabled(timeout=20_000)

    # Each number is the server's.
    numbers = lesson.server.get(f"/api/runs/{run}/lessons/1")["numbers"]
    shown = page.locator("[data-number]").evaluate_all(
        "all => all.map((one) => [one.dataset.number, one.value])"
    )
    assert len(shown) >= 3
    for name, value in shown:
        assert float(value) == numbers[name]["value"], name
    assert find_violations(page, PAGE) == []

    # In print there is only the text, and the worksheet begins a page.
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_have_count(0)
    sheet = page.locator("section", has=page.locator("ol"))
    assert sheet.evaluate("one => getComputedStyle(one).breakBefore") == "page"
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    # An address is written out as its link.
    address = sheet.get_by_role("link").first
    written = f"{lesson.server.url}/?run={run}&lesson=1.2"
    expect(address).to_have_text(written)
    address.click()
    expect(page.get_by_test_id("stage-number")).to_contain_text("Stage 2 of", timeout=20_000)
    page.close()

    # A class reads the aim of a part, but no expected answers.
    phone.goto(f"{lesson.address}/?run={run}&lesson=0")
    expect(phone.get_by_test_id("aim")).to_have_count(12, timeout=20_000)
    expect(phone.get_by_test_id("before-course")).to_have_count(0)
    expect(phone.get_by_test_id("teacher-1")).to_have_count(0)
    phone.goto(f"{lesson.address}/?run={run}&teacher=1")
    expect(phone.locator(PAGE)).to_contain_text("for the presenter", timeout=20_000)
    expect(phone.locator("section")).to_have_count(0)
