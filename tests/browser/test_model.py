"""What needs a model, a journey each on the run that trains for all test files: it continues words, a step of it is
opened, it is forked, its cost is counted, and the course tells it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize, expect

from lamplighter.runfolder.reading.run_status import read_status
from tests.browser.axe import find_violations
from tests.browser.fixtures import hold_run, open_held_step, sound_page
from tests.browser.pages import wait_for
from tests.browser.places.course import Course
from tests.browser.places.evidence import Cost
from tests.browser.places.learn import Fork, Line, Microscope
from tests.support.application import Application

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 390, "height": 844}
QUERY = "new URLSearchParams(location.search)"
OVERFLOW = """(() => {
  const place = document.querySelector("[data-testid=microscope]");
  return [place.scrollHeight - place.clientHeight, place.scrollWidth - place.clientWidth];
})()"""
WORDS = 12
OWN = 10
"""Steps of the fork."""
SLOW = 60_000
"""Milliseconds in which another process begins on a busy machine."""


@pytest.fixture(scope="module")
def step(application: Application) -> int:
    """Pause the run. Returns its step, whose state is kept, so that a question at it is soon answered."""
    hold_run(application, 40)
    return read_status(application.only_run()).step


@pytest.fixture(scope="module")
def page(presenter: BrowserContext, chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium, storage_state=presenter.storage_state()) as opened:
        yield opened


def test_it_continues_the_words_of_a_presenter(page: Page, application: Application, step: int) -> None:
    open_held_step(page, application, step, "&panel=ask")
    line = Line(page)
    line.continue_words("xyzzy")
    expect(line.problem).to_contain_text("xyzzy")
    line.continue_words("the dog")
    expect(line.greedy).to_have_count(WORDS, timeout=SLOW)
    expect(line.sampled).to_have_count(WORDS)
    expect(line.answer).to_have_attribute("data-step", str(step))


def test_a_step_is_opened_and_matches_the_recording(page: Page, application: Application, step: int) -> None:
    open_held_step(page, application, step)
    microscope = Microscope(page)
    microscope.open()
    expect(microscope.verdict).to_contain_text("Matches the recording bit for bit", timeout=SLOW)
    for station in microscope.stations:
        expect(station).to_be_in_viewport(ratio=1)
    # After another word of the text there are other guesses.
    guesses = microscope.guesses.inner_text()
    microscope.words.focus()
    page.keyboard.press("Home")
    wait_for(page, f"{QUERY}.get('micro') === '0.0'")
    assert microscope.guesses.inner_text() != guesses
    page.keyboard.press("Escape")
    expect(microscope.whole).to_have_count(0)


@pytest.mark.tour
def test_a_number_of_a_step_is_followed_and_a_viewer_sees_it(
    page: Page, application: Application, chromium: Browser, step: int
) -> None:
    open_held_step(page, application, step, "&panel=step")
    page.get_by_test_id("open-microscope").click()
    for check in ("replayed", "checked"):
        expect(page.get_by_test_id(check)).to_contain_text("matches the recording bit for bit", timeout=SLOW)
    assert page.evaluate(OVERFLOW) == [0, 0]
    assert find_violations(page) == []
    # Another number of the same word, by keyboard: its change is computed on request.
    change = page.get_by_test_id("change").inner_text()
    word = page.evaluate(f"{QUERY}.get('row')").rsplit(".", 1)[0]
    numbers = page.get_by_test_id("numbers")
    numbers.focus()
    page.keyboard.press("ArrowDown")
    expect(numbers).to_have_attribute("aria-valuenow", "8")
    assert page.get_by_test_id("change").inner_text() == change
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("update")).to_contain_text(f"“{word}”, number 8", timeout=20_000)
    wait_for(page, f"{QUERY}.get('row') === '{word}.8'")
    page.get_by_test_id("close-microscope").click()
    expect(page.get_by_test_id("open-microscope")).to_be_visible()

    with sound_page(chromium, viewport=PHONE) as viewer:
        open_held_step(viewer, application, step, f"&panel=microscope&row={word}.8&micro=0.1")
        expect(viewer.get_by_test_id("update")).to_contain_text(f"“{word}”, number 8")
        assert viewer.evaluate(OVERFLOW)[1] == 0
        assert find_violations(viewer) == []
        # A step that was not opened: the viewer sees one that was, and is told so.
        viewer.get_by_test_id("step-back").click()
        expect(viewer.get_by_test_id("back-to-step")).to_be_visible()
        expect(viewer.get_by_test_id("open-step")).to_have_count(0)
        expect(Microscope(viewer).verdict).to_be_visible()
        expect(Microscope(viewer).whole).to_contain_text(f"You are at step {step - 1:,}.")


def test_its_cost_has_a_method_and_an_error(page: Page, application: Application, step: int) -> None:
    open_held_step(page, application, step, "&panel=cost")
    cost = Cost(page)
    expect(cost.joules).to_contain_text("J", timeout=SLOW)
    expect(cost.joules).not_to_have_text("0 J")
    expect(cost.watts).to_contain_text("W")
    expect(cost.method).to_contain_text(re.compile("Measured|Estimated"))
    expect(cost.method_error).to_be_visible()
    expect(cost.rule).to_have_count(3)
    expect(cost.larger_models).to_have_count(7)


@pytest.mark.tour
def test_a_step_is_shared_by_two_processes(page: Page, application: Application, step: int) -> None:
    open_held_step(page, application, step, "&panel=cost")
    page.get_by_test_id("share-step").click()
    expect(page.get_by_test_id("shared-step")).to_have_attribute("data-state", "done", timeout=SLOW)
    expect(page.get_by_test_id("formula")).to_contain_text("to the byte")
    assert find_violations(page) == []


def test_the_course_asks_first_and_tells_the_runs_own_numbers(
    page: Page, application: Application, step: int
) -> None:
    open_held_step(page, application, step, "&lesson=1.1")
    course = Course(page)
    course.expect_stage(1)
    page.keyboard.press("ArrowRight")
    # The arrow continues; on a prediction it waits for the guess.
    expect(course.prediction).to_be_visible()
    page.keyboard.press("ArrowRight")
    course.expect_stage(2)
    course.guess(4)
    course.expect_stage(3)
    # One history entry for each stage.
    page.go_back(wait_until="commit")
    course.expect_stage(2)
    page.go_forward(wait_until="commit")
    course.expect_stage(3)
    course.go_on()
    course.expect_stage(4)
    expect(course.result).to_contain_text("You guessed 4. It was ")
    numbers = application.get(f"/api/runs/{application.only_run().id}/lessons/1")["numbers"]
    shown = course.numbers()
    assert shown == {name: numbers[name]["value"] for name in shown}
    # Esc leaves the course, and everything else stays.
    page.get_by_test_id("stage-title").focus()
    page.keyboard.press("Escape")
    expect(course.drawer).to_have_count(0)
    wait_for(page, "location.search.includes('word=dog') && !location.search.includes('lesson=')")


def test_a_fork_is_trained_and_shown_beside_its_parent(
    page: Page, application: Application, step: int
) -> None:
    open_held_step(page, application, step)
    fork = Fork(page)
    fork.open()
    made = fork.train_beside(application.only_run().id, OWN)
    expect(fork.relation).to_contain_text(f"from step {step:,} on, with learning rate", timeout=SLOW)
    page.goto("about:blank")
    application.wait_until_over(application.run(made))
    assert read_status(application.run(made)).step == OWN
    application.change("DELETE", f"/api/runs/{made}")


@pytest.mark.tour
def test_a_fork_that_changes_nothing_is_told_to_be_equal(
    page: Page, application: Application, step: int
) -> None:
    # Its parent has taken as many steps more.
    begun = step - OWN
    open_held_step(page, application, begun)
    fork = Fork(page)
    fork.open()
    fork.choose("control")
    made = fork.train_beside(application.only_run().id, OWN)
    application.wait_until_over(application.run(made))
    expect(fork.equality).to_contain_text(f"Equal to the last bit for all {OWN} steps", timeout=SLOW)
    expect(fork.relation).to_contain_text(f"from step {begun:,} on, with nothing changed")
    expect(page.get_by_test_id("asleep")).to_contain_text("words are equal to the last bit")
    # Nothing glows, and the other map is at the same time.
    expect(page.get_by_test_id("beside-said")).to_contain_text(f"Step {step:,}")
    page.keyboard.press("Home")
    expect(page.get_by_test_id("beside-said")).to_contain_text(f"Step {begun:,}")
    page.goto("about:blank")
    application.change("DELETE", f"/api/runs/{made}")


@pytest.mark.tour
def test_a_fork_takes_a_text_of_ones_own(page: Page, application: Application, step: int) -> None:
    sent: list[dict[str, Any]] = []

    def refuse(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(status=409, json={"detail": "another run is being trained"})

    page.route("**/forks", refuse)
    open_held_step(page, application, step)
    fork = Fork(page)
    fork.open()
    fork.choose("text")
    for text, problem in (
        ("", "Paste a text"),
        ("a short one", "3 words"),
        ("the dog " * 600, "Another run"),
    ):
        page.get_by_test_id("new-text").fill(text)
        if text:
            expect(page.get_by_test_id("text-facts")).not_to_contain_text("Counting")
        expect(fork.problem).to_have_count(0)
        fork.train.click()
        expect(fork.problem).to_contain_text(problem)
    assert [body["changes"] for body in sent] == [{"corpus.kind": "text"}]
    assert sent[0]["upload"]
    page.unroute_all()
