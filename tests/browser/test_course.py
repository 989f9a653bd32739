"""The course on a run that lacks its words or its numbers, on paper, on a phone, and on another text; and the teacher's
pages, with the run's numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.axe import find_violations
from tests.browser.first_visit import first_visit
from tests.browser.fixtures import DESKTOP, FinishedRun, sound_page
from tests.browser.pages import wait_for
from tests.browser.places.course import check_small_window, go_on, write_first_part
from tests.support.application import Application
from tests.support.classroom.class_lesson import Lesson, begin_lesson
from tests.support.folders import FakeTrainer, make_run

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 390, "height": 844}
QUERY = "new URLSearchParams(location.search)"


@pytest.mark.tour
def test_a_run_without_the_words_says_so(page: Page, finished_run: FinishedRun) -> None:
    page.goto(finished_run.url_with("lesson=1.1"))
    expect(page.get_by_test_id("other-words")).to_contain_text("Lamptown", timeout=20_000)
    expect(page.get_by_test_id("course-next")).to_have_count(0)
    # A viewer cannot start a run.
    expect(page.get_by_test_id("begin-other")).to_have_count(0)

    # The help leads to the list of all parts.
    page.keyboard.press("?")
    page.get_by_test_id("help-course").click()
    expect(page.get_by_test_id("part-1")).to_be_visible(timeout=20_000)
    page.get_by_test_id("leave-course").click()
    expect(page.get_by_test_id("course")).to_have_count(0)


@pytest.mark.tour
def test_a_formula_has_its_own_line(page: Page, finished_run: FinishedRun) -> None:
    page.goto(finished_run.url_with("lesson=4.7"))
    expect(page.get_by_test_id("formula")).to_have_text("W₂ (W₁ x) = (W₂ W₁) x", timeout=20_000)
    assert find_violations(page, "[data-testid=course]") == []


@pytest.mark.tour
def test_the_printed_course_is_text_without_the_map(page: Page, finished_run: FinishedRun) -> None:
    page.goto(finished_run.url_with("lesson=4.2&panel=token"))
    course = page.get_by_test_id("course")
    page.get_by_test_id("choice").first.click(timeout=20_000)
    page.get_by_test_id("course-back").click()
    expect(page.get_by_test_id("guess-kept")).to_be_visible()
    page.emulate_media(media="print")
    for told in (course.locator("h2"), page.get_by_test_id("stage-title"), page.get_by_test_id("guess-kept")):
        expect(told).to_be_visible()
        assert told.evaluate("(one) => getComputedStyle(one).color") == "rgb(0, 0, 0)"
    assert course.evaluate("(one) => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
    for name in ("leave-course", "all-parts", "course-next", "stage-number", "inspector"):
        expect(page.get_by_test_id(name)).to_be_hidden()
    expect(page.locator("canvas").locator("visible=true")).to_have_count(0)
    # The whole text is there, at any length.
    assert course.evaluate("({ scrollHeight, clientHeight }) => scrollHeight === clientHeight")

    # Outside the course the map is printed as it is.
    page.emulate_media(media="screen")
    page.get_by_test_id("leave-course").click()
    page.emulate_media(media="print")
    expect(page.locator("canvas").locator("visible=true").first).to_be_visible()


@pytest.mark.tour
def test_a_link_to_a_part_shows_no_card_and_gives_it_the_keys(
    chromium: Browser, finished_run: FinishedRun
) -> None:
    context = first_visit(chromium, viewport=DESKTOP)
    page = context.new_page()
    page.goto(finished_run.url_with("lesson=3.1&at=120"))
    expect(page.get_by_test_id("stage-title")).to_be_visible(timeout=20_000)
    # Longer than the delay of the introduction.
    page.wait_for_timeout(2_000)
    expect(page.locator(".story")).to_have_count(0)
    page.get_by_test_id("leave-course").click()
    expect(page.get_by_test_id("introduction")).to_be_visible(timeout=20_000)

    page.goto(finished_run.url_with("lesson=4.6"))
    expect(page.get_by_test_id("claims-panel")).to_be_visible(timeout=20_000)
    page.keyboard.press("ArrowRight")
    wait_for(page, f"{QUERY}.get('lesson') === '4.7'")

    # The text waits for the city that it speaks of.
    page.route("**/steps/0?**", lambda route: (page.wait_for_timeout(1_000), route.continue_()))
    page.goto(finished_run.url_with("lesson=3.1"))
    expect(page.get_by_test_id("stage-title")).to_be_visible(timeout=20_000)
    assert page.evaluate("__lamplighter.step") == 0
    context.close()


@pytest.mark.tour
def test_on_a_phone_the_panel_is_above_the_text_and_either_may_be_enlarged(
    chromium: Browser, finished_run: FinishedRun
) -> None:
    with sound_page(
        chromium, viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="no-preference"
    ) as page:
        page.goto(finished_run.url_with("lesson=9.4&panel=cost&section=meter"))
        panel = page.get_by_test_id("inspector")
        expect(panel).to_be_visible(timeout=20_000)
        check_small_window(page)
        # No section that is brought into view moves the page.
        page.wait_for_timeout(500)
        assert page.evaluate("[document.querySelector('main').scrollTop, scrollY]") == [0, 0]

        # The map is one press away, and the panel again.
        page.get_by_test_id("show-map").tap()
        expect(panel).to_have_count(0)
        page.get_by_test_id("show-panel").tap()
        expect(panel).to_be_visible()

        height = (panel.bounding_box() or {})["height"]
        page.get_by_test_id("fold-course").tap()
        expect(page.get_by_test_id("leave-course")).to_have_count(0)
        expect(page.get_by_test_id("stage-number")).to_contain_text("4 of")
        assert (panel.bounding_box() or {})["height"] > height + 200
        page.get_by_test_id("course-next").tap()
        expect(page.get_by_test_id("stage-title")).to_be_visible()
        expect(page.get_by_test_id("stage-number")).to_contain_text("5 of")


@pytest.mark.tour
def test_who_learns_alone_is_told_what_to_do_and_sees_no_gap(
    chromium: Browser, finished_run: FinishedRun
) -> None:
    page = chromium.new_page()
    page.goto(finished_run.url_with("lesson=4.1"))
    expect(page.get_by_test_id("not-computed")).to_contain_text("lamplighter examine", timeout=20_000)
    number, told = page.get_by_test_id("stage-number"), 0
    while True:
        told += 1
        expect(page.locator("[data-testid=course] .unknown")).to_have_count(0)
        expect(page.get_by_test_id("waits-for-numbers")).to_have_count(0)
        at, of = map(int, re.findall(r"\d+", number.inner_text()))
        if page.get_by_test_id("stage-kind").inner_text() == "In your own words":
            break
        go_on(page)
        expect(number).not_to_contain_text(f"Stage {at} of")
    assert told < at < of
    expect(page.get_by_test_id("course-next")).to_have_text("For the curious")
    page.context.close()


PART = """title: Own
minutes: 1
corpus: CORPUS
words: WORD

# number: Later
reached: 60

The model says it in {run.rows|count} words, and at step 60 this has turned by {word.turned.WORD@60|count} degrees.
"""


@pytest.mark.tour
@pytest.mark.parametrize(("corpus", "word"), [("lamptown", "horse"), ("novels", "elizabeth")])
def test_a_part_waits_on_a_new_run_of_its_own_text_and_continues(
    chromium: Browser, tmp_path: Path, corpus: str, word: str
) -> None:
    FakeTrainer(make_run(RunStore(tmp_path / "runs"), steps=20)).begin().train(20).end()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "77-own.md").write_text(
        PART.replace("CORPUS", corpus).replace("WORD", word), encoding="utf-8"
    )
    with Application(tmp_path / "runs", "serve", "--lessons", str(tmp_path / "own")) as application:
        page = chromium.new_page(viewport=DESKTOP)
        page.goto(application.launch_url)
        wait_for(page, "window.__lamplighter?.shown")
        other = application.only_run().id
        page.goto(f"{application.url}/?run={other}&lesson=77.1&panel=token")
        page.get_by_test_id("begin-other").click()
        # The part stays open on the new run, and says that it waits.
        expect(page.get_by_test_id("waits-for-step")).to_contain_text("60", timeout=60_000)
        begun = page.evaluate(f"{QUERY}.get('run')")
        assert application.run(begun).recipe.corpus.kind == corpus
        # Without any input the run reaches the step, and its numbers appear.
        expect(page.locator("[data-number^='word.turned']")).to_be_visible(timeout=60_000)
        expect(page.get_by_test_id("waits-for-step")).to_have_count(0)
        application.ask(application.run(begun), "stop")

        # The other run links to it from now on.
        page.goto(f"{application.url}/?run={other}&lesson=77.1")
        page.get_by_test_id("open-other").click()
        expect(page.get_by_test_id("stage-title")).to_have_text("Later", timeout=20_000)
        page.context.close()


PAGE = "[data-testid=teacher-page]"


@pytest.fixture
def lesson(tmp_path: Path, chromium: Browser) -> Iterator[Lesson]:
    """Begin a lesson with one viewer."""
    texts = str(write_first_part(tmp_path / "texts"))
    words = ("--no-workers", "--classroom", "--class-host", "127.0.0.1", "--class-port", "0")
    with Application(tmp_path / "runs", "serve", *words, "--lessons", texts) as server:
        yield from begin_lesson(server, chromium, 40, 40, [(True, True)])


@pytest.mark.tour
def test_only_the_presenter_reads_the_teachers_page(lesson: Lesson) -> None:
    presenter, (phone,) = lesson.presenter, lesson.viewers
    run = lesson.trainer.run.id
    presenter.goto(f"{lesson.server.url}/?run={run}&lesson=0")
    expect(presenter.get_by_test_id("aim")).to_have_count(13, timeout=20_000)
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
    expect(phone.get_by_test_id("aim")).to_have_count(13, timeout=20_000)
    expect(phone.get_by_test_id("before-course")).to_have_count(0)
    expect(phone.get_by_test_id("teacher-1")).to_have_count(0)
    phone.goto(f"{lesson.address}/?run={run}&teacher=1")
    expect(phone.locator(PAGE)).to_contain_text("for the presenter", timeout=20_000)
    expect(phone.locator("section")).to_have_count(0)
