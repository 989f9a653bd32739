"""Runs in the browser: the list, a set of them, a file that is dropped, a person's own text, a server that dies; and the
run of a client's training loop.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, expect

import lamplighter
from lamplighter.exports.export import export_run
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_name import read_run_name
from lamplighter.runfolder.run_store import RunStore
from tests.browser.axe import find_violations
from tests.browser.fixtures import FinishedRun, make_finished_run, training
from tests.browser.map_page import write_maps
from tests.browser.pages import open_panel, show_address, wait_for
from tests.support.application import Application
from tests.support.folders import TOKENS
from tests.support.machine.ranks import run_ranks
from tests.support.machine.shared_training import ROWS, SharedModel, global_batches, part_of
from tests.support.runs import small_text, wait_for_step
from tests.support.swept import recorded_set
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

LIT = "window.__lamplighter?.litPixels?.() > 0"
DRAG = """([data, name, type, events]) => {
    const held = new DataTransfer();
    held.items.add(new File([Uint8Array.from(atob(data), (each) => each.charCodeAt(0))], name, { type }));
    for (const event of events)
        document.body.dispatchEvent(new DragEvent(event, { dataTransfer: held, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Start an application for this file alone, to which it adds runs."""
    with training(tmp_path_factory.mktemp("runs")) as started:
        yield started


@pytest.mark.tour
def test_a_persons_own_text_becomes_a_map(page: Page, application: Application, tmp_path: Path):
    path = tmp_path / "my <i>own<i> text.txt"
    path.write_text(small_text(), encoding="utf-8")
    wait_for(page, LIT, 60)
    before = {run.id for run in RunStore(application.runs).runs()}
    open_panel(page, "runs")
    page.get_by_test_id("new-run").press("Enter")
    # The button has gone; the focus moves to the panel that held it.
    wait_for(page, "document.activeElement?.closest('[data-testid=inspector]')")
    page.locator("input[name=corpus][value=text]").check()
    page.get_by_test_id("start").click()
    expect(page.get_by_role("alert")).to_have_text("Paste a text or choose a file first.")
    page.get_by_test_id("new-text").fill("only a few words")
    # Stated once, beside the button, before it is pressed and afterwards.
    expect(page.get_by_role("alert")).to_contain_text("This text has 4 words. 1,000 are needed")
    page.get_by_test_id("start").click()
    expect(page.get_by_text("1,000 are needed")).to_have_count(1)
    assert {run.id for run in RunStore(application.runs).runs()} == before, "a refused text makes no run"
    page.get_by_test_id("new-file").set_input_files(path)
    expect(page.get_by_test_id("text-facts")).to_contain_text("learn it by heart")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.locator("summary", has_text="More options").click()
    page.get_by_test_id("new-steps").fill("100000")
    page.get_by_test_id("start").click()
    wait_until(lambda: len(RunStore(application.runs).runs()) > len(before), "a second run")
    (run,) = [run for run in RunStore(application.runs).runs() if run.id not in before]
    wait_for(page, f"location.search.includes('{run.id}')")
    wait_for(page, LIT, 60)
    assert run.recipe.corpus.name == path.name
    application.ask(run, "stop")
    application.wait_until_over(run)


def test_an_invalid_value_is_explained_beside_its_field(desk: Page, finished_run: FinishedRun):
    page, store = desk, RunStore(finished_run.server.runs)
    before = len(store.runs())
    show_address(page, finished_run.url_with("panel=runs"))
    page.get_by_test_id("new-run").click()
    page.locator("summary", has_text="More options").click()
    page.get_by_test_id("new-optimiser").select_option("lazy")
    page.get_by_test_id("new-tied").check()
    page.get_by_test_id("start").click()
    expect(page.get_by_role("alert").filter(has_text="use the optimiser adam or sgd")).to_be_visible()
    page.wait_for_timeout(500)
    assert len(store.runs()) == before


@pytest.mark.tour
def test_a_killed_and_restarted_server_is_found_without_a_reload(page: Page, tmp_path: Path):
    with training(tmp_path) as first:
        run = first.only_run()
        page.goto(first.launch_url)
        wait_for(page, LIT, 60)
        page.evaluate("window.sameDocument = true")
        at = read_status(run).step
        first.kill()
        expect(page.get_by_test_id("connection")).not_to_contain_text("live")
        # Training continues without the server.
        wait_for_step(run, at + 20)
        with Application(tmp_path, port=first.port) as second:
            expect(page.get_by_test_id("connection")).to_contain_text("live", timeout=30_000)
            now = read_status(run).step
            wait_for(page, f"__lamplighter.step > {now}", 40)
            assert page.evaluate("window.sameDocument")
            assert read_status(run).attempt == 1
            second.ask(run, "stop")
            second.wait_until_over(run)


@pytest.mark.tour
def test_the_size_of_a_run_is_shown_before_and_while_it_runs(page: Page, application: Application):
    wait_for(page, LIT, 60)
    open_panel(page, "run")
    size = page.get_by_test_id("inspector").locator("dl > div", has_text="on disk")
    expect(size).to_contain_text("MB")
    open_panel(page, "runs")
    page.get_by_test_id("new-run").click()
    page.locator("summary", has_text="More options").click()
    estimate = page.get_by_test_id("estimate")
    expect(estimate).to_contain_text(re.compile(r"About [23]\d\d MB on disk"))
    expect(estimate).to_contain_text(re.compile(r"moved rows 1\d\d MB"))
    page.get_by_test_id("new-steps").fill("50000")
    expect(estimate).to_contain_text(re.compile(r"take about [12]\.\d GB"))
    expect(estimate).to_contain_text("the run saves fewer")
    page.get_by_test_id("new-budget").fill("4000")
    expect(estimate).to_contain_text(re.compile(r"About [12]\.\d GB"))
    page.get_by_test_id("new-optimiser").select_option("adam")
    page.get_by_test_id("new-keyframes").fill("500")
    expect(estimate).to_contain_text("every 500 steps")
    page.get_by_test_id("new-dim").fill("63")
    expect(estimate).to_have_count(0)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    return export_run(make_finished_run(folder / "runs"), "zip", out=folder / "town.zip")


def drop(page: Page, data: bytes, name: str, kind: str = "") -> None:
    """Drag a file over the page until it says what it takes, and drop it."""
    held = [base64.b64encode(data).decode(), name, kind]
    page.evaluate(DRAG, [*held, ["dragenter"]])
    target = page.get_by_test_id("drop")
    # The code that takes a file loads with the first drag.
    for _ in range(200):
        page.evaluate(DRAG, [*held, ["dragover"]])
        if target.is_visible():
            break
        page.wait_for_timeout(50)
    expect(target).to_have_text("Drop the zip of a run to import it, or a text to train on it")
    page.evaluate(DRAG, [*held, ["dragover", "drop"]])
    expect(target).to_have_count(0)


def test_a_file_that_is_dropped(desk: Page, finished_run: FinishedRun, packed: Path):
    page, store = desk, RunStore(finished_run.server.runs)
    show_address(page, finished_run.url_with(""))
    wait_for(page, "window.__lamplighter?.shown")
    before = {run.id for run in store.runs()}
    content = packed.read_bytes()
    alert = page.get_by_role("alert")
    drop(page, b"\x89PNG", "photo.png", "image/png")
    expect(alert).to_contain_text("“photo.png” is neither the zip of a run")
    drop(page, b"", "empty.txt", "text/plain")
    expect(alert).to_have_text("“empty.txt” is empty.")
    drop(page, content[:-1_000], "town.zip", "application/zip")
    expect(alert).to_contain_text("it is cut short; fetch it again")
    drop(page, content, "town.zip", "application/zip")
    wait_for(page, f"document.querySelectorAll('[data-testid=run-entry]').length === {len(before) + 1}")
    (run,) = [run for run in store.runs() if run.id not in before]
    wait_for(page, f"location.search.includes('{run.id}')")
    expect(page.locator(f"[data-run='{run.id}'] [aria-current=true]")).to_be_visible()
    expect(page.get_by_text(f"Imported: {read_run_name(run)}")).to_be_visible()
    expect(alert).to_have_count(0)
    wait_for(page, "window.__lamplighter?.litPixels?.() > 0", 60)
    assert not [name for name in os.listdir(store.path) if name.startswith(".importing")]


@pytest.mark.tour
def test_a_text_that_is_dropped_fills_the_form_of_a_new_run(desk: Page, finished_run: FinishedRun):
    page = desk
    show_address(page, finished_run.url_with(""))
    drop(page, small_text().encode(), "my text.txt", "text/plain")
    expect(page.get_by_test_id("text-facts")).to_contain_text("learn it by heart")
    # It has made the choice, so that what is said of it is all in view.
    expect(page.locator("input[name=corpus][value=text]")).to_have_count(0)
    for said in (page.get_by_test_id("text-facts"), page.get_by_text("my text.txt")):
        expect(said).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Use another text").click()
    expect(page.locator("input[name=corpus][value=text]")).to_be_checked()


@pytest.mark.tour
def test_a_run_is_chosen_by_keyboard_and_its_import_cancelled(
    desk: Page, finished_run: FinishedRun, packed: Path
):
    page, store = desk, RunStore(finished_run.server.runs)
    before = {run.id for run in store.runs()}
    page.goto(finished_run.url_with("panel=runs"))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import…").press("Enter")
    # Held on its way, as a large file is.
    page.route("**/api/imports/*", lambda route: route.request.method == "PUT" or route.continue_())
    chooser.value.set_files(packed)
    page.get_by_test_id("importing").get_by_role("button", name="Cancel").press("Enter")
    expect(page.get_by_test_id("importing")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.unroute_all(behavior="ignoreErrors")
    assert {run.id for run in store.runs()} == before


def test_a_set_is_one_entry_of_the_list_and_one_page(desk: Page, finished_run: FinishedRun) -> None:
    # Three seeds, the last of which has not begun.
    page, server = desk, finished_run.server
    recorded_set(server.runs)
    (found,) = server.get("/api/sets")["items"]
    first = found["members"][0]["run"]
    show_address(page, f"{server.url}/?run={first}&panel=runs")
    entry = page.get_by_test_id("run-set")
    expect(entry.get_by_test_id("run-entry")).to_have_count(3)
    entry.get_by_test_id("open-set").click()
    panel = page.get_by_test_id("set-panel")
    expect(panel.get_by_role("heading", level=1)).to_have_text("One recipe, 3 trainings")
    expect(panel).to_contain_text("seed 0 to 2")
    expect(panel).to_contain_text("2 of 3 have finished")
    judged = server.get(f"/api/sets/{found['id']}/claims")["items"]
    claim = next(one for one in judged if one["role"] == "claim")
    held = page.locator(f"[data-testid=set-claim][data-claim='{claim['number']}']")
    expect(held.get_by_role("link")).to_have_count(len(claim["members"]), timeout=30_000)
    page.get_by_test_id("set-word-field").fill(TOKENS[1])
    page.get_by_test_id("set-word-show").click()
    path = f"/api/sets/{found['id']}/word?token={TOKENS[1]}"
    same = server.get(path)["same_in_all"]["words"]
    expect(page.get_by_test_id("set-word-same")).to_contain_text(f"{len(same)} of the")
    expect(page.get_by_test_id("set-city")).to_have_count(2)
    expect(page.get_by_test_id("set-curves")).to_contain_text("median of 2 trainings")
    assert find_violations(page, "[data-testid=set-panel]") == []
    page.get_by_test_id("close-set").click()
    expect(panel).to_have_count(0)


SIZE, DIM = 60, 8
CONFIG = {"lr": 0.0003, "model": {"layers": 4}, "note": "<b>bold</b>"}


def record_wrongly(folder: Path) -> None:
    """Record ten steps whose gradient has other rows than their ids."""
    draw = np.random.default_rng(5)
    weights = draw.normal(size=(SIZE, DIM)).astype(np.float32)
    tokens = [f"word{i}" for i in range(SIZE)]
    with lamplighter.record(folder, tokens, embedding=weights, config=CONFIG) as recorder:
        for step in range(1, 11):
            read, moved = draw.permutation(SIZE)[:20].reshape(2, 10)
            gradient = np.zeros_like(weights)
            gradient[moved] = 0.1
            weights[moved] += 0.01
            recorder.step(weights, read, 3 / step, gradient=gradient)


def test_its_settings_and_inconsistencies_are_shown(finished_run: FinishedRun, desk: Page) -> None:
    server = finished_run.server
    with pytest.warns(UserWarning, match="other rows"):
        record_wrongly(server.runs / "loop")
    write_maps(server.run("loop").layouts_path, SIZE, (0, 10))
    show_address(desk, f"{server.url}/?run=loop&panel=step")
    expect(desk.get_by_test_id("contradictions")).to_contain_text("The gradient has other rows than the ids")
    show_address(desk, f"{server.url}/?run=loop&panel=run")
    settings = desk.get_by_test_id("loop-settings")
    expect(settings).to_contain_text("model.layers")
    # The loop's values are text, never markup.
    expect(settings).to_contain_text("<b>bold</b>")
    expect(desk.get_by_test_id("run-events")).to_contain_text("Recorded from a training loop of its own")


def train_slowly(rank: int, size: int, folder: Path) -> None:
    """Train a table that FSDP2 splits. The second process is slow to read its data."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    init_device_mesh("cpu", (size,))
    model: Any = fully_shard(SharedModel())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    words = [f"word{i}" for i in range(ROWS)]
    with lamplighter.watch(model, words, folder / "slow", on_error="raise"):
        for (batch,) in global_batches(30):
            ids = part_of(batch, rank, size)
            time.sleep(0.05 * rank)
            model(ids, ids.roll(-1, 1))[1].backward()
            optimizer.step()
            optimizer.zero_grad()


@pytest.mark.tour
def test_its_processes_are_shown_with_their_rows_their_bytes_and_the_one_that_lags(
    tmp_path: Path, chromium: Browser
) -> None:
    run_ranks(train_slowly, 2, tmp_path)
    with Application(tmp_path, "serve") as application:
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        address = f"{application.url}/?run=slow&map=linear&colour=owner"
        page.goto(f"{address}&panel=cost&section=processes")
        section = page.get_by_test_id("processes")
        expect(section).to_contain_text("Process 1 lags: the others wait for it.")
        expect(section).to_contain_text("process 0 has rows 0 to 30")
        expect(section).to_contain_text("process 1 has rows 31 to 60")
        expect(section).to_contain_text("headers: 512 N (N - 1)")
        # Where the bytes are not those of the formula.
        expect(section.locator("dd", has_text="≠")).to_have_count(0)
        assert find_violations(page) == []
        page.goto(f"{address}&panel=claims")
        expect(page.locator("#claim-18")).to_have_attribute("data-state", "holds")
        page.close()
