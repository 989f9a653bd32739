"""Evidence that needs no model: the board of claims, turning points, and a fork beside its parent."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from tests.browser.fixtures import FinishedRun, make_finished_run
from tests.browser.map_page import write_maps
from tests.browser.pages import open_panel, show_address, wait_for
from tests.browser.places.evidence import Board, Changes
from tests.browser.places.learn import Fork
from tests.support.folders import FakeTrainer, V, make_run
from tests.support.synthetic_runs.compared_runs import fork_of, trained_parent
from tests.support.synthetic_runs.learning_curves import draw_curve

pytestmark = pytest.mark.browser

CLAIMS = 28
HOLDS = 11
LAST, EVERY = 500, 10
QUERY = "new URLSearchParams(location.search)"


def test_the_board_counts_what_holds_and_leads_to_its_views(desk: Page, finished_run: FinishedRun) -> None:
    # A presenter's board asks what is not yet known, also of a run that no model answers for.
    run = make_finished_run(finished_run.server.runs)
    show_address(desk, f"{finished_run.server.url}/?run={run.id}")
    wait_for(desk, "window.__lamplighter?.shown")
    board = Board(desk)
    board.open()
    expect(board.windows).to_have_count(CLAIMS, timeout=20_000)
    # What is no claim has no window, and is counted apart.
    claims, follow = board.claims.count(), board.following.count()
    expect(board.held).to_have_text(re.compile(rf"\d+ of {claims} claims hold"))
    expect(board.said_to_follow).to_have_text(re.compile(rf"\d of {follow} that follow from the recipe hold"))
    expect(board.checked).to_have_text(f"{CLAIMS - claims - follow} checks and definitions")
    # All windows are one tab stop; the arrow keys move through a house.
    board.window(HOLDS).click()
    expect(board.window(HOLDS)).to_have_attribute("data-state", "holds")
    expect(board.card).to_contain_text(str(HOLDS))
    desk.keyboard.press("ArrowDown")
    other = wait_for(desk, f"{QUERY}.get('claim') !== '{HOLDS}' && {QUERY}.get('claim')")
    expect(board.window(other)).to_be_focused()
    board.show.click()
    wait_for(desk, f"{QUERY}.get('panel') !== 'claims'")
    desk.go_back(wait_until="commit")
    expect(board.panel).to_be_visible()
    desk.keyboard.press("Escape")
    expect(board.panel).to_have_count(0)


def test_a_turning_point_is_marked_said_and_leads_to_its_step(desk: Page, finished_run: FinishedRun) -> None:
    server = finished_run.server
    trainer = FakeTrainer(make_run(RunStore(server.runs), steps=LAST)).begin().train(LAST)
    write_maps(trainer.run.layouts_path, V, (0, LAST))
    curve = draw_curve("late start", LAST // EVERY + 1)
    with MeasuresWriter(trainer.run.measures_path) as writer:
        for number, value in enumerate(curve):
            writer.commit(1, EVERY * number, {"purity_10nn": 0.1 + 0.8 * float(value)})
    trainer.end()
    told = server.get(f"/api/runs/{trainer.run.id}/turning-points")["items"]
    assert told
    show_address(desk, f"{server.url}/?run={trainer.run.id}")
    changes = Changes(desk)
    expect(changes.marks).to_have_count(len(told))
    changes.open()
    step = changes.go_to(0)
    assert step == told[0]["step"]
    wait_for(desk, f"{QUERY}.get('at') === '{step}' && __lamplighter.beat?.step === {step}")


def test_a_fork_differs_from_its_parent_from_its_first_step_on(desk: Page, finished_run: FinishedRun) -> None:
    server = finished_run.server
    parent = trained_parent(server.runs)
    fork = fork_of(parent, 20)
    # It reads other words.
    fork.clock += 7
    for trainer in (parent, fork.train(10)):
        write_maps(trainer.run.layouts_path, V, (0, trainer.step))
        trainer.end()
    show_address(desk, f"{server.url}/?run={fork.run.id}&beside=run:{parent.run.id}&panel=difference")
    told = Fork(desk)
    expect(told.relation).to_contain_text("from step 20 on, with nothing changed", timeout=20_000)
    expect(told.equality).to_contain_text("They differ from the first step on")
    expect(told.difference).to_have_attribute("data-step", "10")
    told.words.first.click()
    expect(told.words.first).to_have_attribute("aria-expanded", "true")
    wait_for(desk, f"{QUERY}.get('word') && {QUERY}.get('panel') === 'difference'")
    open_panel(desk, "runs")
    entry = desk.locator(f"[data-run='{fork.run.id}']")
    expect(entry).to_have_attribute("data-depth", "1")
    expect(entry.get_by_test_id("origin")).to_contain_text("From step 20")
