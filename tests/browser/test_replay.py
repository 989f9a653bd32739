"""Replay in the browser: from a URL, from a clicked step, paused and left again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import lamplighter
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_store import RunStore
from tests.browser.fixtures import sound_page
from tests.browser.map_page import write_maps
from tests.browser.pages import choose_entry, open_panel, wait_for
from tests.support.application import Application
from tests.support.runs import wait_for_step

pytestmark = pytest.mark.browser

SIZE, DIM = 60, 8


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Record a finished run of 400 steps from a client's loop, beside a run made from a checkpoint."""
    runs = tmp_path_factory.mktemp("runs")
    choose = np.random.default_rng(3)
    weights = choose.normal(size=(SIZE, DIM)).astype(np.float32)
    tokens = [f"word{i}" for i in range(SIZE)]
    np.save(runs.parent / "e.npy", weights)
    (runs.parent / "v.txt").write_text("\n".join(tokens))
    lamplighter.still(runs / "still", runs.parent / "e.npy", runs.parent / "v.txt")
    with lamplighter.record(runs / "mine", tokens, embedding=weights, keyframe_every=20) as recorder:
        for step in range(1, 401):
            ids = choose.integers(0, SIZE, size=8)
            weights[np.unique(ids)] += np.float32(0.01)
            recorder.step(weights, ids, 3 / step, gradient=np.ones((SIZE, DIM), dtype=np.float32))
    for name in ("still", "mine"):
        run = RunStore(runs).find(name)
        write_maps(run.layouts_path, SIZE, range(0, read_status(run).step + 1, 40))
    with Application(runs, "serve", "--no-workers") as app:
        yield app


@pytest.fixture(scope="module")
def viewer(chromium: Browser) -> Iterator[Page]:
    with sound_page(chromium, reduced_motion="no-preference") as opened:
        yield opened


def pause(page: Page) -> int:
    """Pause the replay. Returns the step at which it stands."""
    page.get_by_test_id("pause-replay").click()
    held = int(wait_for(page, "new URLSearchParams(location.search).get('at')"))
    wait_for(page, f"__lamplighter.step === {held} && __lamplighter.beat?.step === {held}")
    return held


@pytest.mark.tour
def test_a_url_plays_pauses_and_leaves(recorded: Application, viewer: Page):
    page = viewer
    page.goto(f"{recorded.url}/?run=mine&from=100&speed=4")
    wait_for(page, "window.__lamplighter?.beat?.step > 100")
    assert page.evaluate("__lamplighter.beat?.step") < 300
    expect(page.get_by_test_id("connection")).to_contain_text("replay")
    expect(page.get_by_test_id("speed")).to_have_value("4")
    held = pause(page)
    expect(page.get_by_test_id("connection")).to_contain_text("view paused")
    page.wait_for_timeout(700)
    assert page.evaluate("__lamplighter.beat?.step") == held
    # Playback resumes where it paused, at another speed.
    page.get_by_test_id("resume-replay").click()
    wait_for(page, f"__lamplighter.beat?.step > {held}")
    assert page.evaluate("__lamplighter.beat?.step") < held + 100
    page.get_by_test_id("speed").select_option("200")
    wait_for(page, "location.search.includes('speed=200')")
    wait_for(page, "__lamplighter.step === 400")
    expect(page.get_by_test_id("replay")).to_contain_text("has ended")
    choose_entry(page, "goLive")
    expect(page.get_by_test_id("replay")).to_have_count(0)
    wait_for(page, "!location.search.includes('from=')")


def test_replay_from_a_click_on_the_loss_and_from_the_start(recorded: Application, viewer: Page):
    page = viewer
    page.goto(f"{recorded.url}/?run=mine")
    wait_for(page, "window.__lamplighter?.beat?.step === 400")
    box = page.get_by_test_id("timeline").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_for(page, "__lamplighter.beat?.step < 400")
    middle = page.evaluate("__lamplighter.beat?.step")
    assert 150 < middle < 250
    page.keyboard.press("Space")
    wait_for(page, f"location.search.includes('from={middle}')")
    wait_for(page, f"__lamplighter.step > {middle}")
    choose_entry(page, "goLive")
    wait_for(page, "__lamplighter.beat?.step === 400")
    page.get_by_test_id("replay-from-start").click()
    wait_for(page, "__lamplighter.beat?.step < 200")
    wait_for(page, "location.search.includes('from=0')")


def test_runs_that_take_no_requests_are_explained(recorded: Application, viewer: Page):
    page = viewer
    page.goto(f"{recorded.url}/?run=mine")
    expect(page.get_by_test_id("recorded")).to_contain_text("separate training loop")
    expect(page.get_by_test_id("training-menu")).to_have_count(0)
    expect(page.get_by_test_id("continue")).to_have_count(0)
    page.goto(f"{recorded.url}/?run=still")
    expect(page.get_by_test_id("recorded")).to_have_text("No training: one matrix as it is")
    open_panel(page, "step")
    expect(page.get_by_test_id("no-step")).to_contain_text("no training steps")
    expect(page.get_by_test_id("replay-from-start")).to_have_count(0)


@pytest.mark.tour
def test_a_step_that_lies_ahead_is_reported(recorded: Application, viewer: Page):
    page = viewer
    page.goto(f"{recorded.url}/?run=mine&from=5000")
    expect(page.get_by_test_id("notice")).to_contain_text("the last is 400")
    choose_entry(page, "goLive")
    wait_for(page, "__lamplighter.beat?.step === 400")
    expect(page.get_by_test_id("notice")).to_have_count(0)


@pytest.mark.tour
def test_an_unknown_token_is_reported_once_and_the_map_stays(recorded: Application, viewer: Page):
    page = viewer
    refused: list[str] = []
    page.on("response", lambda response: refused.append(response.url) if response.status == 404 else None)
    page.goto(f"{recorded.url}/?run=mine&token={SIZE}")
    expect(page.get_by_test_id("token-problem")).to_contain_text("not in this vocabulary")
    wait_for(page, "window.__lamplighter?.litPixels?.() > 0")
    wait_for(page, "!location.search.includes('token=')")
    before = len(refused)
    page.wait_for_timeout(3_000)
    assert len(refused) == before, refused


@pytest.mark.tour
def test_pausing_a_replay_does_not_pause_the_training_and_it_continues_live(
    page: Page, application: Application
):
    wait_for(page, "window.__lamplighter?.litPixels?.() > 0", 60)
    run = application.only_run()
    at = wait_for_step(run, 40).step
    page.goto(f"{application.url}/?run={run.id}&from=5&speed=10")
    wait_for(page, "window.__lamplighter?.beat?.step > 5")
    # The words under the pointer stay after the displayed step has moved on.
    line = page.get_by_test_id("reading")
    line.hover()
    words, step = line.inner_text(), page.evaluate("__lamplighter.step")
    wait_for(page, f"__lamplighter.beat?.step > {step + 10}")
    assert line.inner_text() == words
    held = pause(page)
    expect(page.get_by_test_id("resume-replay")).to_be_visible()
    assert wait_for_step(run, at + 20).phase == "running"
    assert page.evaluate("__lamplighter.step") == held
    page.get_by_test_id("resume-replay").click()
    page.get_by_test_id("speed").select_option("1000")
    expect(page.get_by_test_id("connection")).to_contain_text("live", timeout=60_000)
    wait_for(page, "!location.search.includes('from=')")
    wait_for(page, f"__lamplighter.beat?.step > {read_status(run).step}")
