"""The start of a run: it stays at step 0 until its map is there, or until the presenter starts it without
one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.requests import ask_to_hold
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from tests.browser.fixtures import DESKTOP
from tests.browser.pages import wait_for
from tests.support.application import Application
from tests.support.runs import small_recipe, small_text
from tests.support.waiting import wait_until

STEPS = 100_000
PACE = 40


def begin_run(runs: Path) -> RunFolder:
    """Create a run as a server does, held for ten minutes at most."""
    recipe = small_recipe(steps=STEPS)
    return RunStore(runs).create(recipe, small_text(), lambda folder: ask_to_hold(folder, "s1", 600))


def map_steps(run: RunFolder) -> list[int]:
    with LayoutsReader(run.layouts_path) as reader:
        return [entry.step for entry in reader.layout_entries() if entry.method is Method.UMAP]


@pytest.mark.tour
def test_a_run_stays_at_step_0_until_its_map_is_there_or_the_presenter_starts_it(
    tmp_path: Path, chromium: Browser
) -> None:
    run = begin_run(tmp_path)
    # While another process has the projector's role, this run has no map.
    projector = RoleLock(run.path, "projector")
    with Application(tmp_path, "serve") as application:
        application.ask(run, "pace", steps_per_second=PACE)
        page = chromium.new_page(viewport=DESKTOP)
        page.goto(application.launch_url)
        notice = page.get_by_test_id("notice")
        expect(notice).to_contain_text("about to read for the first time", timeout=30_000)
        wait_until(lambda: read_status(run).hold is not None, "the run to stand before its first step")
        with LayoutsWriter(run.layouts_path) as writer:
            places = np.random.default_rng(0).normal(size=(len(run.vocabulary), 2)).astype(np.float32)
            writer.commit(Layout(1, 0, 0.0, Method.LINEAR, places))
            writer.set_facts({"warm_up": 0.5})
        # The lights are on, at step 0; the bar shows the progress of the map.
        wait_for(page, "window.__lamplighter?.shown?.method === 'linear'")
        expect(page.get_by_test_id("step")).to_have_text("0")
        expect(page.get_by_test_id("phase")).to_have_text("about to start")
        expect(page.get_by_role("progressbar")).to_have_js_property("value", 0.5)
        expect(notice).to_have_attribute("role", "status")
        begin = page.get_by_role("button", name="Start now")
        begin.focus()
        page.keyboard.press("Enter")
        expect(notice).not_to_be_attached()
        wait_for(page, "__lamplighter.step > 20")
        expect(page.get_by_test_id("instead")).to_have_text("Placing the words… (linear view until then)")
        assert page.evaluate("__lamplighter.shown.method") == "linear"

        projector.close()
        wait_for(page, "__lamplighter.shown.method === 'umap'")
        assert page.evaluate("__lamplighter.shown.step") > 20
        steps = map_steps(run)
        assert steps[0] == 0
        assert steps == sorted(steps)
        page.close()
        application.ask(run, "stop")
        application.wait_until_over(run)

        # Without intervention a run continues by itself once its map is there.
        run = begin_run(tmp_path)
        wait_until(lambda: read_status(run).step > 0, "the run to begin")
        application.ask(run, "stop")
        application.wait_until_over(run)
    with LayoutsReader(run.layouts_path) as layouts, StepsReader(run.steps_path) as record:
        first = next(entry for entry in layouts.layout_entries() if entry.method is Method.UMAP)
        drawn = decode_as(layouts.layout_record(first.id), Layout)
        begun = decode_as(record.pulses_at([1])[0][1], Pulse)
    assert drawn.step == 0
    assert drawn.time < begun.time
