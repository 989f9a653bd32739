"""Time on the page: stepping forwards and back, playback from a past step, links, and a lost connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.fixtures import (
    DESKTOP,
    ELSEWHERE_ON_TOUR,
    LAST,
    FinishedRun,
    batch_rows_of,
    expect_step,
    open_last_step,
    served_from,
)
from tests.browser.map_page import write_maps
from tests.browser.pages import choose_entry, cut_connection, remember_sockets, wait_for
from tests.support.application import Application
from tests.support.folders import FakeTrainer, V, make_run

pytestmark = pytest.mark.browser

WATCH = """() => {
    const seen = (window.seen = []);
    const look = () => {
        const told = document.querySelector('[data-testid=told]');
        const { beat, shown } = __lamplighter;
        if (told) seen.push({
            telling: told.dataset.telling, said: told.textContent,
            step: beat.step, map: shown.step,
        });
        if (window.seen !== seen) clearInterval(timer);
    };
    const timer = setInterval(look, 40);
}"""
"""Samples every 40 ms what the page shows of a step's two beats, which a polling test could miss."""

SAID = """() => {
    const line = document.querySelector('.said');
    window.said = [];
    new MutationObserver(() => window.said.push(`${line.textContent.trim()} ${line.title}`))
        .observe(line, { attributes: true, childList: true, characterData: true, subtree: true });
}"""
"""Records every sentence at the top, with its title."""


@pytest.fixture(scope="module", params=ELSEWHERE_ON_TOUR)
def finished(
    request: pytest.FixtureRequest, finished_run: FinishedRun, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FinishedRun]:
    with served_from(request.param, finished_run, tmp_path_factory.mktemp("packed")) as served:
        yield served


@pytest.fixture(scope="module")
def page(finished: FinishedRun, chromium: Browser) -> Iterator[Page]:
    with open_last_step(finished, chromium) as page:
        yield page


def beats(page: Page) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Wait for the second beat to end. Returns the samples of both beats."""
    wait_for(page, "window.seen.at(-1)?.telling === 'move'")
    seen: list[dict[str, Any]] = page.evaluate(
        "() => { const { seen } = window; window.seen = null; return seen }"
    )
    light = [one for one in seen if one["telling"] == "light"]
    assert seen[: len(light)] == light
    return light, seen[len(light) :]


def test_time_keys_work_at_once_on_a_finished_run(page: Page, finished: FinishedRun) -> None:
    for key, step in (("ArrowLeft", LAST - 1), ("Shift+ArrowLeft", LAST - 10)):
        page.keyboard.press(key)
        expect_step(page, finished, step)
        wait_for(page, f"new URLSearchParams(location.search).get('at') === '{step}'")
        expect(page.get_by_test_id("resume-replay")).to_be_visible()
        choose_entry(page, "goLive")
        wait_for(page, f"__lamplighter.beat?.step === {LAST} && !location.search.includes('at=')")
    page.keyboard.press("Home")
    wait_for(page, "__lamplighter.step === 0")
    page.keyboard.press("End")
    expect_step(page, finished, LAST)
    choose_entry(page, "goLive")
    wait_for(page, "!location.search.includes('at=')")


@pytest.mark.tour
def test_text_in_charts_scales_with_the_page(page: Page) -> None:
    tick = "document.querySelector('[data-testid=timeline] .ticks span')"
    size = f"({tick} && parseFloat(getComputedStyle({tick}).fontSize))"
    before = wait_for(page, size)
    page.set_viewport_size({"width": 3840, "height": 2160})
    wait_for(page, f"{size} === {2 * before}")
    page.set_viewport_size(DESKTOP)
    wait_for(page, f"{size} === {before}")


@pytest.mark.tour
def test_the_handle_is_a_slider_for_the_keyboard(page: Page, finished: FinishedRun) -> None:
    page.goto(finished.url_with("folded=1&at=95"))
    expect_step(page, finished, 95)
    handle = page.get_by_test_id("scrubber")
    handle.focus()
    for key, step in (
        ("ArrowLeft", 94),
        ("Shift+ArrowLeft", 84),
        ("PageUp", 94),
        ("Shift+ArrowRight", 104),
        ("End", LAST),
        ("ArrowDown", LAST - 1),
    ):
        handle.press(key)
        expect_step(page, finished, step)
    expect(handle).to_have_attribute(
        "aria-valuetext", re.compile(rf"step {LAST - 1} · surprise 2\.50 · \d+ of {V} words read so far")
    )
    handle.press("Home")
    wait_for(page, "__lamplighter.step === 0 && __lamplighter.beat === null")
    # Before the first step no row had been in a batch.
    expect(page.get_by_test_id("step")).to_have_text("0")
    assert page.evaluate("__lamplighter.shown.step") == 0


def test_a_step_forward_plays_in_two_beats(page: Page, finished: FinishedRun) -> None:
    page.goto(finished.url_with("folded=1&at=69"))
    expect_step(page, finished, 69)
    page.evaluate(WATCH)
    page.keyboard.press("ArrowRight")
    told = page.get_by_test_id("told")
    expect(told).to_have_attribute("data-telling", "move")
    expect_step(page, finished, 70)
    light, move = beats(page)
    # First the step's light on the map before it, then a glide to the map after it.
    assert {(one["step"], one["map"]) for one in light} == {(70, 60)}
    assert all(one["said"].startswith("First the light: ") and one["said"] for one in light)
    assert {(one["step"], one["map"]) for one in move} == {(70, 70)}
    expect(told).to_contain_text("Then the move")
    expect(told).to_contain_text("The map follows")
    # The next step has no map.
    page.keyboard.press("ArrowRight")
    expect_step(page, finished, 71)
    # Going back plays no beats.
    page.keyboard.press("ArrowLeft")
    expect_step(page, finished, 70)
    expect(told).to_have_count(0)


def test_playback_continues_from_there_and_l_returns_to_live(page: Page, finished: FinishedRun) -> None:
    page.get_by_test_id("step-back").click()
    expect_step(page, finished, 69)
    page.get_by_test_id("speed").select_option("10")
    page.evaluate(SAID)
    page.get_by_test_id("resume-replay").click()
    wait_for(page, "location.search.includes('from=69')")
    wait_for(page, "__lamplighter.beat?.step > 69", every=0.02)
    assert page.evaluate("__lamplighter.beat?.step") < 90
    # A map that arrives shortly before its step's count must not be reported as one from another time.
    played = page.evaluate("window.said")
    assert not [said for said in played if "Linear view" in said or "map is of" in said]
    page.keyboard.press("Space")
    connection = page.get_by_test_id("connection")
    expect(connection).to_contain_text("view paused")
    stood = int(wait_for(page, "new URLSearchParams(location.search).get('at')"))
    assert 69 < stood < 100
    expect_step(page, finished, stood)
    choose_entry(page, "goLive")
    wait_for(page, f"__lamplighter.beat?.step === {LAST} && __lamplighter.step === {LAST}")
    wait_for(page, f"__lamplighter.shown.step === {LAST}")
    expect(connection.filter(has_text="view paused")).to_have_count(0)
    wait_for(page, "!/at=|from=/.test(location.search)")


@pytest.mark.tour
def test_a_link_opens_a_step_without_playing_or_moving_anything(
    finished: FinishedRun, chromium: Browser
) -> None:
    page = chromium.new_page(viewport=DESKTOP, reduced_motion="reduce")
    page.goto(finished.url_with("folded=1&at=59"))
    expect_step(page, finished, 59)
    page.wait_for_timeout(400)
    assert page.evaluate("__lamplighter.step") == 59
    expect(page.locator("header")).to_contain_text("view paused")
    # With reduced motion the two beats are the same, without frames in between.
    page.evaluate(WATCH)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("told")).to_have_attribute("data-telling", "move")
    expect_step(page, finished, 60)
    light, _ = beats(page)
    assert {(one["step"], one["map"]) for one in light} == {(60, 50)}
    assert page.evaluate("__lamplighter.glided") == 0
    # A step after the end of the run means its last.
    page.goto(finished.url_with("folded=1&at=99999"))
    expect_step(page, finished, LAST)
    expect(page.get_by_test_id("ended")).to_have_text(f"This run ended at step {LAST}.")
    expect(page.get_by_test_id("past-problem")).to_have_count(0)
    wait_for(page, f"location.search.includes('at={LAST}')")
    page.close()


@pytest.mark.tour
def test_trails_and_clicks_work_while_maps_change_faster_than_lamps_glide(
    finished_run: FinishedRun, chromium: Browser
) -> None:
    trainer = FakeTrainer(make_run(RunStore(finished_run.server.runs), steps=400)).begin().train(20)
    write_maps(trainer.run.layouts_path, V, (0, 10, 20), ("animals", "marks"))
    page = chromium.new_page(viewport=DESKTOP)
    drawn = "__lamplighter.trails.length"
    try:
        page.goto(f"{finished_run.server.url}/?run={trainer.run.id}&folded=1&trails=movers&over=0")
        wait_for(page, f"window.__lamplighter?.shown && {drawn} > 0")
        page.get_by_test_id("legend-fold").click()
        page.get_by_test_id("trails").select_option("none")
        wait_for(page, f"{drawn} === 0")
        for step in range(21, 45):
            trainer.train(1)
            write_maps(trainer.run.layouts_path, V, (step,), ("animals", "marks"))
            page.wait_for_timeout(200)
            if step == 25:
                assert page.evaluate("__lamplighter.glided") > 0
                page.get_by_test_id("trails").select_option("movers")
            if page.evaluate(drawn):
                break
        assert page.evaluate(drawn) > 0
        # A moving lamp can be clicked where it is drawn.
        for token in range(10):
            trainer.train(1)
            write_maps(trainer.run.layouts_path, V, (step + token + 1,), ("animals", "marks"))
            page.wait_for_timeout(150)
            page.mouse.click(*page.evaluate("(id) => __lamplighter.pixelOf(id)", 4 * token))
        wait_for(page, "location.search.includes('word=')", 5)
    finally:
        trainer.crash()
        page.close()


def test_live_again_after_a_lost_connection_without_a_reload(
    finished_run: FinishedRun, chromium: Browser
) -> None:
    trainer = FakeTrainer(make_run(RunStore(finished_run.server.runs), steps=400)).begin().train(30)
    run = trainer.run
    write_maps(run.layouts_path, V, (0, 10, 20, 30), ("animals", "marks"))
    context = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce")
    remember_sockets(context)
    page = context.new_page()
    try:
        page.goto(f"{finished_run.server.url}/?run={run.id}&folded=1")
        wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat?.step === 30")
        trainer.train(1)
        wait_for(page, "__lamplighter.beat?.step === 31")
        page.evaluate("window.sameDocument = true")
        cut_connection(page)
        trainer.train(40)
        page.wait_for_timeout(500)
        assert page.evaluate("__lamplighter.step") == 31
        context.set_offline(False)
        caught_up(page, finished_run.server, run.id, 71)
        # A viewer at a past step stays there after the loss, and "live" leads to the newest step.
        page.keyboard.press("Space")
        page.keyboard.press("Shift+ArrowLeft")
        wait_for(page, "__lamplighter.beat?.step === 61")
        cut_connection(page)
        trainer.train(9)
        write_maps(run.layouts_path, V, (60, 70), ("animals", "marks"))
        page.wait_for_timeout(200)
        context.set_offline(False)
        expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "open")
        assert page.evaluate("__lamplighter.beat?.step") == 61
        # Maps drawn during the interruption are found.
        page.keyboard.press("ArrowRight")
        wait_for(page, "__lamplighter.beat?.step === 62 && __lamplighter.shown.step === 60")
        page.keyboard.press("ArrowLeft")
        wait_for(page, "__lamplighter.beat?.step === 61")
        # Training goes back to an earlier step, so the displayed step no longer counts.
        trainer.start_attempt_after(50).train(20)
        expect(page.get_by_test_id("standing")).to_contain_text("Step 61 of attempt 1 no longer counts")
        wait_for(
            page,
            f"String([...__lamplighter.beat.ids].sort((a, b) => a - b)) === '{joined(finished_run.server, run.id, 61)}'",
        )
        choose_entry(page, "goLive")
        caught_up(page, finished_run.server, run.id, 70)
        assert page.evaluate("window.sameDocument")
    finally:
        trainer.crash()
        context.close()


def joined(server: Application, run: str, step: int) -> str:
    return ",".join(map(str, batch_rows_of(server, run, step)))


def caught_up(page: Page, server: Application, run: str, step: int) -> None:
    """Check that the newest step is lit, and every missed step is counted and drawn."""
    wait_for(page, f"__lamplighter.beat?.step === {step} && __lamplighter.step === {step}", 15)
    series = page.get_by_test_id("timeline").locator(".chart")
    expect(series).to_have_attribute("aria-label", re.compile(rf"at step {step}\b"))
    ever = server.get(f"/api/runs/{run}/steps?from=1&most=2000")["items"][-1]["ever_rows"]
    expect(page.get_by_test_id("scrubber")).to_have_attribute(
        "aria-valuetext", re.compile(rf"step {step} · .* · {ever} of {V} words read so far")
    )
