"""A file that is dropped on the page: a run opens, a text fills the form, anything else is told what can be dropped."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lamplighter.exports.export import export_run
from lamplighter.runfolder.run_name import read_run_name
from lamplighter.runfolder.run_store import RunStore
from tests.browser.fixtures import make_finished_run, training
from tests.browser.pages import wait_for
from tests.support.application import Application
from tests.support.runs import small_text

pytestmark = [pytest.mark.browser, pytest.mark.tour]

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


def test_a_file_that_is_dropped(page: Page, application: Application, packed: Path):
    store = RunStore(application.runs)
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
    wait_for(page, "document.querySelectorAll('[data-testid=run-entry]').length === 2")
    (run,) = [run for run in store.runs() if run.id not in before]
    wait_for(page, f"location.search.includes('{run.id}')")
    expect(page.locator(f"[data-run='{run.id}'] [aria-current=true]")).to_be_visible()
    expect(page.get_by_text(f"Imported: {read_run_name(run)}")).to_be_visible()
    expect(alert).to_have_count(0)
    wait_for(page, "window.__lamplighter?.litPixels?.() > 0", 60)
    assert not [name for name in os.listdir(application.runs) if name.startswith(".importing")]


def test_a_text_that_is_dropped_fills_the_form_of_a_new_run(page: Page):
    drop(page, small_text().encode(), "my text.txt", "text/plain")
    expect(page.get_by_test_id("text-facts")).to_contain_text("learn it by heart")
    # It has made the choice, so that what is said of it is all in view.
    expect(page.locator("input[name=corpus][value=text]")).to_have_count(0)
    for said in (page.get_by_test_id("text-facts"), page.get_by_text("my text.txt")):
        expect(said).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Use another text").click()
    expect(page.locator("input[name=corpus][value=text]")).to_be_checked()


def test_a_run_is_chosen_by_keyboard_and_its_import_cancelled(
    page: Page, application: Application, packed: Path
):
    before = {run.id for run in RunStore(application.runs).runs()}
    page.goto(f"{application.url}/?panel=runs")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import…").press("Enter")
    # Held on its way, as a large file is.
    page.route("**/api/imports/*", lambda route: route.request.method == "PUT" or route.continue_())
    chooser.value.set_files(packed)
    page.get_by_test_id("importing").get_by_role("button", name="Cancel").press("Enter")
    expect(page.get_by_test_id("importing")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.unroute_all(behavior="ignoreErrors")
    assert {run.id for run in RunStore(application.runs).runs()} == before
