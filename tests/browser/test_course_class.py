"""The course with a class: a presenter and two viewers, one on a phone, predict at one stage and see all
answers at another.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.lessons.library import find_lessons
from tests.browser.axe import find_violations
from tests.browser.pages import OUTSIDE, wait_for
from tests.support.application import Application
from tests.support.classroom.class_lesson import Lesson, begin_lesson, lead

pytestmark = [pytest.mark.browser, pytest.mark.tour]

STEP = 40


@pytest.fixture
def lesson(tmp_path: Path, chromium: Browser) -> Iterator[Lesson]:
    """Begin a lesson with two viewers; part 1 needs no word that the small run lacks."""
    texts = tmp_path / "texts"
    texts.mkdir()
    part = next((find_lessons() / "en").glob("01-*.md"))
    (texts / part.name).write_text(
        part.read_text("utf-8").replace("words: dog cat horse rabbit", "words: dog cat"), "utf-8"
    )
    words = ("--no-workers", "--classroom", "--class-host", "127.0.0.1", "--class-port", "0")
    with Application(tmp_path / "runs", "serve", *words, "--lessons", str(texts)) as server:
        yield from begin_lesson(server, chromium, STEP, STEP, [(True, True), (False, True)])


def expect_stage(page: Page, stage: int) -> None:
    expect(page.get_by_test_id("stage-number")).to_contain_text(f"Stage {stage} of", timeout=20_000)


def test_a_class_predicts_together_and_sees_all_answers(lesson: Lesson) -> None:
    presenter, (phone, other) = lesson.presenter, lesson.viewers
    lead(lesson, True)
    presenter.get_by_test_id("close-panel").click()
    presenter.keyboard.press("?")
    presenter.get_by_test_id("help-course").click()
    presenter.get_by_test_id("part-1").click(timeout=20_000)
    for page in (presenter, phone, other):
        expect_stage(page, 1)
    presenter.get_by_test_id("course-next").click()

    # Viewers who follow answer in the course; the others on a card.
    expect(phone.get_by_test_id("class-answered")).to_contain_text("whole class")
    expect(phone.get_by_test_id("question-card")).to_have_count(0)
    phone.get_by_label("Your guess").fill("9")
    phone.get_by_test_id("keep-guess").click()
    expect(phone.get_by_test_id("guess-sent")).to_contain_text("guess is in")
    phone.get_by_test_id("change-guess").click()
    phone.get_by_label("Your guess").fill("8")
    phone.get_by_test_id("keep-guess").click()
    expect(phone.get_by_test_id("guess-sent")).to_contain_text("guess is in")
    expect_stage(phone, 2)
    expect(phone.get_by_test_id("follow-chip")).to_contain_text("Following")
    assert find_violations(phone, "[data-testid=course]") == []
    assert phone.evaluate(OUTSIDE) == []
    other.get_by_test_id("leave-course").click()
    other.get_by_test_id("answer-field").fill("2")
    other.get_by_test_id("send-answer").click()
    expect(presenter.get_by_test_id("class-answered")).to_contain_text("2 of 2 have answered")
    presenter.get_by_label("Your guess").fill("5")
    presenter.get_by_test_id("keep-guess").click()
    expect_stage(presenter, 2)
    assert find_violations(presenter, "[data-testid=course]") == []
    other.get_by_test_id("rejoin").click()

    # Continuing closes it, and shows nothing before the number appears.
    presenter.get_by_test_id("course-next").click()
    expect_stage(phone, 3)
    for page in (presenter, phone, other):
        expect(page.get_by_test_id("class-answers")).to_have_count(0)
    presenter.get_by_test_id("course-next").click()
    numbers = lesson.server.get(f"/api/runs/{lesson.run}/lessons/1")["numbers"]
    measured = f"{numbers['word.kin.dog@0']['value']:.0f}"
    for page, own in ((presenter, "5"), (phone, "8"), (other, None)):
        expect_stage(page, 4)
        shown = page.get_by_test_id("results").get_by_role("listitem").first
        expect(shown.get_by_test_id("class-answers")).to_contain_text("2 guesses. Half of them are 5 or less")
        guess = f"You guessed {own}. " if own else ""
        expect(shown.get_by_test_id("result")).to_have_text(f"{guess}It was {measured}.")
        assert find_violations(page, "[data-testid=course]") == []

    # At the end there is the picture, with the class in it, and the answers can be saved.
    for _ in range(5):
        presenter.locator("[data-testid=course-next], [data-testid=course-skip]").click()
    for page in (presenter, phone):
        expect_stage(page, 9)
        expect(page.get_by_test_id("class-dot")).to_have_count(1)
    with presenter.expect_download() as saved:
        presenter.get_by_test_id("save-answers").click()
    rows = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert [row.split(",")[-6] for row in rows[1:]] == ["2", "8"]
    presenter.get_by_test_id("leave-course").click()
    wait_for(phone, "new URLSearchParams(location.search).get('lesson') === null")
    assert lesson.known["question"] is None
