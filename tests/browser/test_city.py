"""The map in a real Chromium: it appears, lamps light beat by beat, and clicks take effect."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from tests.browser.fixtures import PACE, sound_page
from tests.browser.pages import (
    OUTSIDE,
    choose_entry,
    close_menu,
    open_panel,
    open_view,
    show_address,
    show_map,
    wait_for,
)
from tests.support.application import Application
from tests.support.runs import wait_for_step
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

FIRST_UMAP = 180
"""Seconds to wait for the first UMAP map: on a new machine UMAP compiles first, here beside
everything else.
"""
LIT = "window.__lamplighter?.litPixels?.() > 0"


@pytest.fixture(scope="module")
def opened(presenter: BrowserContext, chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium, storage_state=presenter.storage_state(), reduced_motion=None) as opened:
        yield opened


@pytest.fixture
def page(application: Application, opened: Page) -> Page:
    # A test may have left a menu open.
    opened.keyboard.press("Escape")
    show_address(opened, f"{application.url}/")
    return opened


def batch_of(run: RunFolder, step: int) -> list[int]:
    with StepsReader(run.steps_path) as reader:
        ((_, record),) = reader.pulses_at([step])
    pulse = decode(record)
    assert isinstance(pulse, Pulse)
    return pulse.batch_ids.tolist()


def collect_beats(page: Page, seconds: float) -> dict[int, dict[str, Any]]:
    beats: dict[int, dict[str, Any]] = {}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        beat = page.evaluate("__lamplighter.beat")
        if beat:
            beats.setdefault(beat["step"], beat)
        page.wait_for_timeout(40)
    return beats


def neighbours(page: Page) -> list[str]:
    return page.get_by_test_id("neighbours").locator("button, li").all_inner_texts()


def select(page: Page, token: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(token)
    expect(page.get_by_test_id("found").first).to_contain_text(token)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("token")).to_contain_text(token)


def test_the_city_appears_and_lamps_light(page: Page):
    expect(page.get_by_test_id("city")).to_be_visible()
    wait_for(page, LIT, 60)
    assert page.evaluate("__lamplighter.layoutSteps.linear") is not None
    expect(page.get_by_test_id("lit")).to_have_text(re.compile(r"^\d+$"))


def test_each_beat_is_one_real_step_with_its_rows_at_most_three_a_second(
    page: Page, application: Application
):
    wait_for(page, LIT, 60)
    seconds = 3
    beats = collect_beats(page, seconds)
    assert 2 <= len(beats) <= 3 * seconds + 1
    for step, beat in beats.items():
        assert sorted(beat["ids"]) == batch_of(application.only_run(), step)


def test_pausing_the_picture_stops_the_lamps_but_not_the_training(page: Page, application: Application):
    wait_for(page, LIT, 60)
    page.get_by_test_id("pause-picture").click()
    page.wait_for_timeout(500)
    run = application.only_run()
    held, at = page.evaluate("__lamplighter.beat?.step"), read_status(run).step
    wait_for_step(run, at + 20)
    assert page.evaluate("__lamplighter.beat?.step") == held
    page.keyboard.press("Space")
    wait_for(page, f"__lamplighter.beat?.step > {at}")


def test_the_presenter_pauses_training_steps_once_and_resumes(page: Page, application: Application):
    wait_for(page, LIT, 60)
    run = application.only_run()
    page.get_by_test_id("training-menu").click()
    page.get_by_test_id("pause-training").focus()
    page.keyboard.press("Enter")
    wait_until(lambda: read_status(run).phase == "paused", "pause")
    # The focus stays on the button, so that it can be pressed again.
    expect(page.get_by_test_id("resume-training")).to_be_focused()
    expect(page.get_by_test_id("phase")).to_contain_text("paused")
    at = read_status(run).step
    page.wait_for_timeout(700)
    assert read_status(run).step == at
    page.get_by_test_id("step-once").click()
    wait_for(page, f"__lamplighter.beat?.step === {at + 1}")
    assert read_status(run).step == at + 1
    page.get_by_test_id("resume-training").click()
    wait_for_step(run, at + 10)
    expect(page.get_by_test_id("phase")).to_contain_text("training")


@pytest.mark.tour
def test_training_keeps_the_set_pace(page: Page, application: Application):
    wait_for(page, LIT, 60)
    run = application.only_run()
    page.get_by_test_id("training-menu").click()
    page.get_by_test_id("pace").select_option("4")
    wait_until(lambda: read_status(run).pace_steps_per_second == 4, "the pace")
    page.get_by_test_id("pace").select_option(index=0)
    wait_until(lambda: read_status(run).pace == "full", "full speed")
    application.ask(run, "pace", steps_per_second=PACE)


def test_search_finds_a_token_and_shows_its_details(page: Page):
    wait_for(page, LIT, 60)
    select(page, "dog")
    page.get_by_test_id("token-numbers").locator("summary").click()
    expect(page.get_by_test_id("norm")).to_contain_text(".")
    expect(page.get_by_test_id("last-lit")).to_be_visible()
    wait_until(lambda: len(neighbours(page)) >= 5, "neighbours")
    # The URL is updated a moment later.
    wait_for(page, "location.search.includes('word=dog')")


@pytest.mark.tour
def test_neighbours_change_as_the_model_learns(page: Page, application: Application):
    wait_for(page, LIT, 60)
    select(page, "gravity")
    wait_until(lambda: len(neighbours(page)) >= 5, "neighbours")
    before, at = neighbours(page), read_status(application.only_run()).step
    wait_for_step(application.only_run(), at + 60, 60)
    wait_until(lambda: neighbours(page) != before, "other neighbours", 30)


def test_umap_follows_and_the_linear_view_is_a_click_away(page: Page):
    wait_for(page, "window.__lamplighter?.layoutSteps?.umap !== null", FIRST_UMAP)
    wait_for(page, "__lamplighter.shown?.method === 'umap'")
    open_view(page)
    expect(page.get_by_test_id("trust")).to_have_text(
        re.compile(r"\d+(\.\d)? in 10 neighbours on the map are real")
    )
    page.get_by_test_id("map-linear").click()
    wait_for(page, "__lamplighter.shown?.method === 'linear'")
    close_menu(page)
    choose_entry(page, "toggleMap")
    wait_for(page, "__lamplighter.shown?.method === 'umap'")


def test_the_batch_can_be_read(page: Page, application: Application):
    wait_for(page, LIT, 60)
    open_panel(page, "step")
    page.get_by_test_id("show-batch").click()
    expect(page.get_by_test_id("batch")).to_contain_text("the")


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (390, 844),
        pytest.param(1024, 768, marks=pytest.mark.tour),
        pytest.param(1280, 720, marks=pytest.mark.tour),
        pytest.param(3840, 2160, marks=pytest.mark.tour),
    ],
)
def test_a_viewer_controls_nothing_and_nothing_is_cut_off(
    application: Application, chromium: Browser, width: int, height: int
):
    with sound_page(chromium, viewport={"width": width, "height": height}) as page:
        page.goto(application.url)
        wait_for(page, LIT, 90)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(OUTSIDE) == []
        for name in ("step", "loss", "lit", "pause-picture"):
            box = page.get_by_test_id(name).bounding_box()
            assert box is not None, name
            assert box["x"] >= 0, name
            assert box["x"] + box["width"] <= width + 1, name
            assert box["y"] + box["height"] <= height + 1, name
        for name in ("training-menu", "what-if"):
            expect(page.get_by_test_id(name)).to_have_count(0)
        expect(page.get_by_test_id("pause-picture")).to_be_enabled()
        show_address(page, f"{application.url}/?panel=map")
        expect(page.get_by_test_id("map-made")).to_contain_text("Drawn by", timeout=60_000)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.tour
@pytest.mark.parametrize("motion", [pytest.param("reduce", marks=pytest.mark.tour), "no-preference"])
def test_the_map_glides_between_layouts_unless_motion_is_reduced(
    application: Application, chromium: Browser, motion: Literal["reduce", "no-preference"]
):
    with sound_page(chromium, reduced_motion=motion) as page:
        page.goto(application.url)
        wait_for(page, LIT, 60)
        wait_for(page, "__lamplighter.shown?.method === 'umap'", FIRST_UMAP)
        for method in ("linear", "umap", "linear"):
            show_map(page, method)
            wait_for(page, f"__lamplighter.shown?.method === '{method}'")
            if motion == "reduce":
                page.wait_for_timeout(900)
                assert page.evaluate("__lamplighter.glided") == 0
            else:
                wait_for(page, "__lamplighter.glided > 0")
