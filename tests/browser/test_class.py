"""A class in real browsers: a presenter and two viewers, one on a phone.

They join, follow, predict, and leave.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import find_violations
from tests.browser.pages import OUTSIDE, wait_for
from tests.browser.places.course import Course, write_first_part
from tests.support.application import Application
from tests.support.classroom.class_lesson import (
    BEGUN,
    Lesson,
    begin_lesson,
    join,
    lead,
    open_class,
    wait_for_lamps,
)

pytestmark = pytest.mark.browser


STEPS = 1_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    texts = str(write_first_part(tmp_path_factory.mktemp("lessons") / "texts"))
    words = ("--no-workers", "--classroom", "--class-host", "127.0.0.1", "--class-port", "0")
    with Application(tmp_path_factory.mktemp("runs"), "serve", *words, "--lessons", texts) as started:
        yield started


@pytest.fixture(scope="module")
def lesson(server: Application, chromium: Browser) -> Iterator[Lesson]:
    """Begin a lesson: two viewers have joined, by code and by link, and see the run."""
    yield from begin_lesson(server, chromium, STEPS, BEGUN, [(True, True), (False, False)])


def show_view(lesson: Lesson, query: str) -> None:
    """Move the presenter to a view of the run, by a link within the page."""
    lesson.presenter.evaluate(
        """(query) => {
            const link = Object.assign(document.createElement("a"), { href: query });
            document.body.append(link);
            link.click();
            link.remove();
        }""",
        f"?run={lesson.run}&{query}",
    )


def drop_question(lesson: Lesson) -> None:
    """Withdraw the question, and wait until it has gone, so that the next action does not meet it."""
    button = lesson.presenter.get_by_test_id("drop-question")
    button.click()
    expect(button).to_have_count(0)


def ask(lesson: Lesson, subject: str) -> None:
    """Ask the class, after removing any question left by a failed test."""
    page = open_class(lesson)
    if page.get_by_test_id("drop-question").count():
        drop_question(lesson)
    page.get_by_test_id(f"subject-{subject}").check()
    page.get_by_test_id("send-question").click()
    expect(page.get_by_test_id("asked-class")).to_be_visible()


def test_two_viewers_have_joined_and_see_the_training(lesson: Lesson) -> None:
    page = open_class(lesson)
    expect(page.get_by_test_id("class-count")).to_contain_text("2 people here")
    page.get_by_test_id("members").locator("summary").click()
    expect(page.get_by_test_id("member")).to_have_count(2)
    lesson.train(1)
    for viewer in lesson.viewers:
        wait_for(viewer, f"__lamplighter.beat?.step === {BEGUN + 1}")
        # None of the presenter's controls are there, not even disabled.
        for control in ("training-menu", "new-run", "share-class", "join-card"):
            expect(viewer.get_by_test_id(control)).to_have_count(0)
        assert "#" not in viewer.url


def test_an_invalid_code_is_explained(lesson: Lesson) -> None:
    page = lesson.newcomer(phone=True)
    page.goto(f"{lesson.address}/?run={lesson.run}&panel=step")
    assert find_violations(page, "main") == []
    field, problem = page.get_by_role("textbox"), page.get_by_role("alert")
    expect(field).to_be_focused()
    field.fill("AAA 222")
    field.press("Enter")
    expect(problem).to_contain_text("That is not the code")
    open_class(lesson).get_by_test_id("class-door").uncheck()
    expect(lesson.presenter.get_by_test_id("class-code")).to_have_count(0)
    field.fill(lesson.known["code"])
    field.press("Enter")
    expect(problem).to_contain_text("door is closed")
    lesson.presenter.get_by_test_id("class-door").check()
    expect(lesson.presenter.get_by_test_id("class-code")).to_be_visible()
    field.press("Enter")
    wait_for_lamps(page)
    # The view that the link named opens.
    expect(page.get_by_test_id("inspector")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{lesson.address}/?again#too-old")
    expect(page.get_by_role("alert")).to_contain_text("link has expired")
    assert page.url.endswith("?again")
    page.context.close()


def test_viewers_follow_the_presenter_leave_and_return(lesson: Lesson) -> None:
    phone, other = lesson.viewers
    lead(lesson, True)
    for viewer in lesson.viewers:
        expect(viewer.get_by_test_id("follow-chip")).to_contain_text("Following the presenter")
    length = other.evaluate("history.length")
    show_view(lesson, "at=20&word=dog&panel=token")
    for viewer in lesson.viewers:
        wait_for(viewer, "__lamplighter.beat?.step === 20")
        wait_for(viewer, "location.search.includes('word=dog')")
    assert other.evaluate("history.length") == length, "what one follows makes no entry"
    # A viewer who moves elsewhere stays there, and sees the way back.
    phone.get_by_test_id("go-live").click()
    expect(phone.get_by_test_id("follow-chip")).to_contain_text("Exploring")
    show_view(lesson, "at=30")
    wait_for(other, "__lamplighter.beat?.step === 30")
    assert phone.evaluate("__lamplighter.beat.step") == lesson.trainer.step
    phone.get_by_test_id("rejoin").click()
    wait_for(phone, "__lamplighter.beat?.step === 30")
    assert find_violations(phone, "main") == []
    assert phone.evaluate(OUTSIDE) == []
    # Everything the presenter highlights in a panel is marked for all.
    show_view(lesson, "at=30&panel=step")
    lesson.presenter.get_by_test_id("section-river").click()
    for viewer in (phone, other):
        expect(viewer.get_by_test_id("section-river")).to_have_attribute("aria-pressed", "true")
        expect(viewer.get_by_test_id("section-river")).to_be_in_viewport()
    # The presenter's private panels close none of the viewers' panels.
    show_view(lesson, "at=30&word=dog&panel=token")
    expect(other.get_by_test_id("inspector")).to_contain_text("dog")
    lead(lesson, False)
    for viewer in lesson.viewers:
        expect(viewer.get_by_test_id("follow-chip")).to_have_count(0)
    expect(other.get_by_test_id("inspector")).to_contain_text("dog")


def test_a_class_predicts_a_number_and_sees_the_result(lesson: Lesson) -> None:
    ask(lesson, "lit_next")
    presenter, (phone, second) = lesson.presenter, lesson.viewers
    said_by = ((phone, "6"), (second, "9"))
    for viewer, said in said_by:
        viewer.get_by_test_id("answer-field").fill(said)
    for viewer, said in said_by:
        # The others' answers have left the number in this field.
        viewer.get_by_test_id("send-answer").click()
        expect(viewer.get_by_test_id("said-answer")).to_contain_text(f"You said {said} words")
    expect(presenter.get_by_test_id("answered-of")).to_have_text("2 of 2 have answered")
    # It may be changed while the question is open, but not to an invalid value.
    phone.get_by_test_id("answer-field").fill("-3")
    expect(phone.get_by_test_id("send-answer")).to_be_disabled()
    phone.get_by_test_id("answer-field").fill("5")
    phone.get_by_test_id("send-answer").click()
    expect(phone.get_by_test_id("said-answer")).to_contain_text("You said 5 words")
    assert find_violations(phone, "main") == []
    expect(presenter.get_by_test_id("reveal-question")).to_be_disabled()
    presenter.get_by_test_id("close-question").click()
    expect(second.get_by_test_id("question-card")).to_have_attribute("data-state", "closed")
    expect(second.get_by_test_id("answer-field")).to_have_count(0)
    lesson.train(1)
    presenter.get_by_test_id("reveal-question").click()
    step = lesson.trainer.step
    lit = lesson.server.get(f"/api/runs/{lesson.run}/steps/{step}")["batch_rows"]
    for page in (presenter, *lesson.viewers):
        expect(page.get_by_test_id("measured")).to_have_text(f"It was {lit} words (measured at step {step}).")
    with presenter.expect_download() as saved:
        presenter.get_by_test_id("save-answers").click()
    lines = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["5", "9"]
    drop_question(lesson)
    for viewer in lesson.viewers:
        expect(viewer.get_by_test_id("question-card")).to_have_count(0)


def test_a_class_predicts_a_choice(lesson: Lesson) -> None:
    ask(lesson, "falls_later")
    presenter, (phone, second) = lesson.presenter, lesson.viewers
    phone.get_by_test_id("choice-1").click()
    second.get_by_test_id("choice-0").click()
    expect(phone.get_by_test_id("choice-1")).to_have_attribute("aria-pressed", "true")
    phone.get_by_test_id("choice-0").click()
    expect(phone.get_by_test_id("said-answer")).to_contain_text("Lower")
    expect(presenter.get_by_test_id("answer-chart")).to_contain_text("Lower 2")
    drop_question(lesson)


@pytest.mark.tour
def test_a_class_writes_before_and_after(lesson: Lesson) -> None:
    presenter, (phone, second) = open_class(lesson), lesson.viewers
    for when, said in (("before", "It is broken."), ("after", "The text has few dogs.")):
        presenter.get_by_test_id(f"written-{when}").click()
        for viewer in (phone, second):
            # The card of the round before may still be there.
            expect(viewer.get_by_test_id("question-card")).to_contain_text("A. A language model")
            viewer.get_by_test_id("written-field").fill(said)
            viewer.get_by_test_id("send-answer").click()
            expect(viewer.get_by_test_id("said-answer")).to_contain_text("Your answer is in.")
        assert find_violations(phone, "main") == []
        expect(presenter.get_by_test_id("answered-of")).to_have_text("2 of 2 have answered")
        expect(presenter.get_by_test_id("answer-chart")).to_have_count(0)
        presenter.get_by_test_id("next-written").click()
        expect(second.get_by_test_id("question-card")).to_contain_text("B. You may change one thing")
        drop_question(lesson)
        expect(presenter.get_by_test_id(f"kept-{when}")).to_have_text("2 and 0 answered")
    with presenter.expect_download() as saved:
        presenter.get_by_test_id("save-answers").click()
    lines = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert [line.rpartition('",')[2].split(",")[-3:-1] for line in lines[1:]] == [
        ["before", "It is broken."],
        ["before", "It is broken."],
        ["after", "The text has few dogs."],
        ["after", "The text has few dogs."],
    ]


@pytest.mark.tour
def test_a_class_takes_the_course_together_and_sees_all_answers(lesson: Lesson) -> None:
    presenter, (phone, other) = lesson.presenter, lesson.viewers
    lead(lesson, True)
    presenter.get_by_test_id("close-panel").click()
    presenter.keyboard.press("?")
    presenter.get_by_test_id("help-course").click()
    presenter.get_by_test_id("part-1").click(timeout=20_000)
    for page in (presenter, phone, other):
        Course(page).expect_stage(1)
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
    Course(phone).expect_stage(2)
    expect(phone.get_by_test_id("follow-chip")).to_contain_text("Following")
    assert phone.evaluate(OUTSIDE) == []
    other.get_by_test_id("leave-course").click()
    other.get_by_test_id("answer-field").fill("2")
    other.get_by_test_id("send-answer").click()
    expect(presenter.get_by_test_id("class-answered")).to_contain_text("2 of 2 have answered")
    presenter.get_by_label("Your guess").fill("5")
    presenter.get_by_test_id("keep-guess").click()
    Course(presenter).expect_stage(2)
    other.get_by_test_id("rejoin").click()

    # Continuing closes it, and shows nothing before the number appears.
    presenter.get_by_test_id("course-next").click()
    Course(phone).expect_stage(3)
    for page in (presenter, phone, other):
        expect(page.get_by_test_id("class-answers")).to_have_count(0)
    presenter.get_by_test_id("course-next").click()
    numbers = lesson.server.get(f"/api/runs/{lesson.run}/lessons/1")["numbers"]
    measured = f"{numbers['word.kin.dog@0']['value']:.0f}"
    for page, own in ((presenter, "5"), (phone, "8"), (other, None)):
        Course(page).expect_stage(4)
        shown = page.get_by_test_id("results").get_by_role("listitem").first
        expect(shown.get_by_test_id("class-answers")).to_contain_text("2 guesses. Half of them are 5 or less")
        guess = f"You guessed {own}. " if own else ""
        expect(shown.get_by_test_id("result")).to_have_text(f"{guess}It was {measured}.")
        assert find_violations(page, "[data-testid=course]") == []

    # At the end there is the picture, with the class in it, and the answers can be saved.
    for _ in range(5):
        presenter.locator("[data-testid=course-next], [data-testid=course-skip]").click()
    for page in (presenter, phone):
        Course(page).expect_stage(9)
        expect(page.get_by_test_id("class-dot")).to_have_count(1)
    with presenter.expect_download() as saved:
        presenter.get_by_test_id("save-answers").click()
    rows = csv.DictReader(Path(saved.value.path()).read_text("utf-8").splitlines())
    assert [row["prediction"] for row in rows if row["part"] == "1"] == ["2", "8"]
    presenter.get_by_test_id("leave-course").click()
    wait_for(phone, "new URLSearchParams(location.search).get('lesson') === null")
    assert lesson.known["question"] is None
    lead(lesson, False)


def test_an_assistant_points_for_all(lesson: Lesson) -> None:
    page, (phone, helper) = open_class(lesson), lesson.viewers
    members = page.get_by_test_id("members")
    members.evaluate("(details) => (details.open = true)")
    page.get_by_test_id("member").nth(1).get_by_test_id("raise").click()
    expect(helper.get_by_test_id("assistant")).to_be_visible()
    expect(helper.get_by_test_id("training-menu")).to_be_visible()
    expect(phone.get_by_test_id("training-menu")).to_have_count(0)
    helper.get_by_test_id("search").fill("dog")
    helper.get_by_test_id("search").press("Enter")
    helper.get_by_test_id("point").click()
    dog = helper.evaluate("__lamplighter.rings[0]?.[0] ?? 1")
    for each in (page, phone, helper):
        wait_for(each, f"__lamplighter.rings.some(([id]) => id === {dog})")
    helper.get_by_test_id("unpoint").click()
    wait_for(phone, "__lamplighter.rings.length === 0")
    helper.get_by_test_id("training-menu").click()
    with helper.expect_response("**/api/class/assist") as asked:
        helper.get_by_test_id("pause-training").click()
    assert asked.value.status == 202
    page.get_by_test_id("member").nth(1).get_by_test_id("lower").click()
    expect(helper.get_by_test_id("training-menu")).to_have_count(0)


def test_a_withheld_text_appears_nowhere(lesson: Lesson) -> None:
    page, viewer = open_class(lesson), lesson.viewers[1]
    expect(page.get_by_test_id("give-text")).to_be_checked()
    page.get_by_test_id("give-text").uncheck()
    expect(viewer.get_by_test_id("text-withheld").first).to_contain_text("has not shared the text")
    expect(viewer.get_by_test_id("reading")).to_have_count(0)
    assert viewer.request.get(f"{lesson.address}/api/runs/{lesson.run}/steps/5").status == 403
    page.get_by_test_id("give-text").check()
    expect(viewer.get_by_test_id("text-withheld")).to_have_count(0)
    expect(viewer.get_by_test_id("reading")).to_be_visible()


def test_the_join_code_is_readable_on_a_wall(lesson: Lesson) -> None:
    page = open_class(lesson)
    code = page.get_by_test_id("class-code").inner_text()
    page.get_by_test_id("show-large").click()
    expect(page.get_by_test_id("screen-code")).to_have_text(code)
    height = page.get_by_test_id("screen-code").evaluate(
        "(one) => parseFloat(getComputedStyle(one).fontSize)"
    )
    assert height >= 100
    assert find_violations(page, "dialog") == []
    assert page.evaluate(OUTSIDE) == []
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("join-screen")).to_have_count(0)
    expect(page.get_by_test_id("show-large")).to_be_focused()
    page.get_by_test_id("close-panel").click()
    card = page.get_by_test_id("join-card")
    expect(card).to_contain_text(re.sub(r"\s+", " ", code))
    page.get_by_test_id("put-card-away").click()
    expect(page.get_by_test_id("open-class")).to_be_visible()


@pytest.mark.tour
def test_a_removed_viewer_can_return(lesson: Lesson) -> None:
    gone = lesson.newcomer()
    join(lesson, gone)
    page = open_class(lesson)
    page.get_by_test_id("members").evaluate("(details) => (details.open = true)")
    expect(page.get_by_test_id("member")).to_have_count(len(lesson.known["members"]))
    last = page.get_by_test_id("member").last
    last.get_by_test_id("remove-member").click()
    page.get_by_test_id("remove-sure").click()
    expect(gone.get_by_test_id("outside")).to_contain_text("You are no longer in the class")
    gone.get_by_role("button", name="Join again").click()
    expect(gone.get_by_role("textbox")).to_be_visible()
    gone.context.close()


def test_ending_the_class_ends_it_for_all(lesson: Lesson) -> None:
    page = open_class(lesson)
    page.get_by_test_id("end-class").click()
    page.get_by_test_id("end-class-sure").click()
    for viewer in lesson.viewers:
        expect(viewer.get_by_test_id("outside")).to_contain_text("You are no longer in the class")
    expect(page.get_by_test_id("class-count")).to_contain_text("No one here yet")
