"""Every part of the course, from its first stage to its last: on a finished town, in a file, and on a
training run.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from lamplighter.lessons.library import find_lessons, read_folder
from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.axe import find_violations
from tests.browser.fixtures import hold_run, sound_page
from tests.browser.packed import pack
from tests.browser.pages import wait_for, wait_for_frame
from tests.browser.places.course import check_small_window, walk_part
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

LAPTOP: ViewportSize = {"width": 1280, "height": 720}
PROJECTOR: ViewportSize = {"width": 1920, "height": 1080}
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL: list[ViewportSize] = [{"width": 360, "height": 640}, {"width": 640, "height": 360}]
STEPS = 1_500
"""Steps of the town: those that the parts name, and a few more."""
LIVE_STEP = 150


@dataclass(frozen=True)
class Town:
    """A finished Lamptown run with answers to all of the course's questions, and a packed file of it."""

    server: Application
    run: RunFolder
    file: Path


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    runs = tmp_path_factory.mktemp("runs")
    with Application(runs, "serve") as server:
        # A quarter of the usual batch: the questions of the course train and recompute for minutes otherwise.
        run = server.start_run({"steps": STEPS, "sequences": 4})
        server.wait_until_over(run, timeout=900)
        command = Path(sys.executable).with_name("lamplighter")
        said = subprocess.run(
            [command, "examine", run.id, "--prepare", "lessons", "--runs", runs],
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert "all numbers of the course are known" in said.stdout, said.stdout + said.stderr
        yield Town(server, run, pack(run, tmp_path_factory.mktemp("packed")))


def test_every_part_on_the_town_is_covered_here() -> None:
    # Parts on other texts are not: their runs train for minutes.
    walked = {part for part, *_ in (*FINISHED, *PACKED)} | {1, *LIVE}
    assert walked == {n for n, part in read_folder(find_lessons()).parts.items() if part.corpus == "lamptown"}


FINISHED = [
    (2, LAPTOP, "en"),
    (3, PHONE, "de"),
    (6, PROJECTOR, "de"),
    (7, PHONE, "de"),
    (8, LAPTOP, "en"),
    (10, LAPTOP, "de"),
    (11, LAPTOP, "en"),
]
PACKED = [(1, LAPTOP, "de"), (5, PHONE, "de"), (8, PROJECTOR, "en")]
LIVE = [4, 9]


@pytest.mark.parametrize(
    ("part", "size", "language", "packed"),
    [*((*case, False) for case in FINISHED), *((*case, True) for case in PACKED)],
    ids=str,
)
def test_a_part_of_a_finished_run(
    town: Town, chromium: Browser, part: int, size: ViewportSize, language: str, packed: bool
) -> None:
    _walk(chromium, town.file.as_uri() if packed else f"{town.server.url}/", town, part, size, language)


@pytest.mark.parametrize("part", range(1, 12))
def test_every_stage_fits_a_small_window_however_it_is_held(town: Town, chromium: Browser, part: int) -> None:
    context = chromium.new_context(viewport=SMALL[part % 2], has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{town.server.url}/?run={town.run.id}&lesson={part}.1")
    for stage in walk_part(page, 60_000):
        check_small_window(page)
        # Turn it by a quarter, and read on like that.
        page.set_viewport_size(SMALL[(part + stage.number) % 2])
        wait_for_frame(page)
        check_small_window(page)
    context.close()


def _walk(chromium: Browser, address: str, town: Town, part: int, size: ViewportSize, language: str) -> None:
    told = town.server.get(f"/api/runs/{town.run.id}/lessons/{part}?lang={language}")
    phone = size is PHONE
    options: dict[str, Any] = {"has_touch": phone, "is_mobile": phone, "offline": address[:4] == "file"}
    with sound_page(chromium, viewport=size, reduced_motion="no-preference", **options) as page:
        page.goto(f"{address}?run={town.run.id}&lesson={part}.1&lang={language}")
        for stage in walk_part(page, 60_000):
            expected = told["stages"][stage.number - 1]
            assert stage.title == expected["title"]
            _check_stage(page, told["numbers"], f"stage {part}.{stage.number}")
            # No number is missing on a run of which everything was asked.
            assert page.locator("[data-testid=course] .unknown").count() == 0, stage
            expect(page.get_by_test_id("waits-for-numbers")).to_have_count(0)
            if expected["kind"] == "own-words" and any(one["prediction"] for one in told["stages"]):
                expect(page.get_by_test_id("results").get_by_role("img").first).to_be_visible()


@pytest.mark.parametrize("part", LIVE)
def test_a_part_on_a_training_run_waits_where_it_must(
    page: Page, application: Application, part: int
) -> None:
    hold_run(application, LIVE_STEP)
    run = application.only_run()
    page.goto(f"{application.url}/?run={run.id}&lesson={part}.1")
    for stage in walk_part(page):
        told = application.get(f"/api/runs/{run.id}/lessons/{part}")
        if told["stages"][stage.number - 1]["waits_for_step"] is not None:
            expect(page.get_by_test_id("waits-for-step")).to_be_visible()
        wait_for(page, "document.querySelector('[data-testid=stage-title]')")
        assert find_violations(page, "[data-testid=course]") == [], stage


def _check_stage(page: Page, numbers: dict[str, dict[str, float]], where: str) -> None:
    """Check that a stage has no accessibility violation, and that each number on it is the server's."""
    shown = page.locator("[data-testid=course] [data-number]")
    for name, value in shown.evaluate_all("all => all.map((one) => [one.dataset.number, one.value])"):
        assert float(value) == numbers[name]["value"], f"{where}: {name}"
    assert find_violations(page, "[data-testid=course]") == [], where
