"""A finished run to scrub through, with a map for every tenth step, and checks of the page that shows it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.browser.map_page import write_maps
from tests.browser.packed import host_files, pack
from tests.browser.pages import wait_for
from tests.support.application import Application
from tests.support.folders import FakeTrainer, V, make_run
from tests.support.waiting import wait_until

PACE = 10
"""Steps per second of live runs, well below what the machine could do."""
SMALL_TOWN: dict[str, Any] = {"corpus": {"vocabulary_size": 700}, "model": {"dim": 32}, "sequences": 4}
"""A recipe of Lamptown's frequent words with a few sentences a step, so that trainer, projector and page have
little to do.
"""
LAST = 120
EVERY = 10
DESKTOP: ViewportSize = {"width": 1280, "height": 720}


@dataclass
class FinishedRun:
    """A finished run with a map for every tenth of its steps."""

    server: Application
    run: str
    page: str = ""
    """The URL of the packed file, if the page does not come from the server."""

    def batch_rows(self, step: int) -> list[int]:
        """Return the rows of a step's batch, as recorded."""
        return batch_rows_of(self.server, self.run, step)

    def url_with(self, query: str) -> str:
        """Return the URL of the run's page with this query."""
        return f"{self.page or f'{self.server.url}/'}?run={self.run}&{query}"


def batch_rows_of(server: Application, run: str, step: int) -> list[int]:
    record = server.get(f"/api/runs/{run}/steps/{step}")
    rows = sorted(token for token, _ in record["gradient"])
    assert len(rows) == record["batch_rows"]
    return rows


@contextmanager
def training(runs: Path, recipe: dict[str, Any] | None = None) -> Generator[Application]:
    """Start `lamplighter` with a training at `PACE`: at full speed it would take a core from the browser."""
    with Application(runs, "serve") as started:
        started.ask(started.start_run(recipe or {}), "pace", steps_per_second=PACE)
        yield started


def make_finished_run(runs: Path) -> RunFolder:
    """Write a run of `LAST` steps, with a map for every tenth."""
    trainer = FakeTrainer(make_run(RunStore(runs), steps=LAST)).begin().train(LAST)
    write_maps(trainer.run.layouts_path, V, range(0, LAST + 1, EVERY), ("animals", "marks"))
    trainer.end()
    return trainer.run


@contextmanager
def serve_finished_run(runs: Path) -> Generator[FinishedRun]:
    with Application(runs, "serve", "--no-workers") as server:
        yield FinishedRun(server, make_finished_run(runs).id)


EVERYWHERE = ("server", "file", pytest.param("path", marks=pytest.mark.tour))
"""Where a page may come from: a server, a file, or a static host under a path."""


ELSEWHERE_ON_TOUR = ("server", pytest.param("file", marks=pytest.mark.tour), EVERYWHERE[-1])
"""The same as test parameters, with all but the server left to the tour."""


@contextmanager
def served_from(where: str, finished: FinishedRun, folder: Path) -> Generator[FinishedRun]:
    """Provide a finished run whose page comes from one of `EVERYWHERE`.

    The packed file goes into `folder`.
    """
    if where == "server":
        yield finished
        return
    packed = pack(RunStore(finished.server.runs).find(finished.run), folder)
    if where == "file":
        yield replace(finished, page=packed.as_uri())
        return
    with host_files(folder.parent) as address:
        yield replace(finished, page=f"{address}{folder.name}/{packed.name}")


@contextmanager
def sound_page(chromium: Browser, **options: Any) -> Generator[Page]:
    """Open an empty page, of a desktop and without motion unless the options say otherwise; fail if it reports an
    error.
    """
    context = chromium.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce"} | options)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(f"{error}\n{error.stack}"))
    yield opened
    context.close()
    assert not faults, "".join(faults)[:3000]


@contextmanager
def open_last_step(finished: FinishedRun, chromium: Browser) -> Generator[Page]:
    """Open a page at the last step; fail if it reports an error."""
    with sound_page(chromium, reduced_motion="no-preference") as opened:
        opened.goto(finished.url_with("folded=1"))
        wait_for(opened, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")
        yield opened


def expect_step(page: Page, finished: FinishedRun, step: int) -> None:
    """Check that every part of the page shows one step of the record."""
    # The address names a step as soon as it is requested; the beat and the count of a replay follow.
    wait_for(
        page, f"window.__lamplighter?.beat?.step === {step} && __lamplighter.step === {step}", 10, every=0.02
    )
    assert page.evaluate("[...__lamplighter.beat.ids].sort((a, b) => a - b)") == finished.batch_rows(step)
    wait_for(page, f"__lamplighter.shown.step === {step - step % EVERY}", 10, every=0.02)
    expect(page.get_by_test_id("step")).to_have_text(str(step))
    expect(page.get_by_test_id("scrubber")).to_have_attribute("aria-valuenow", str(step))


def point_at_step(page: Page, step: int, height: float = 0.5) -> None:
    """Move the pointer to a step of the timeline; `height` is 1 at the bottom, 0.5 in the middle, 0 at the
    top.
    """
    axis: dict[str, float] = wait_for(
        page, "document.querySelector('[data-testid=axis]')?.getBoundingClientRect().toJSON()"
    )
    page.mouse.move(axis["left"] + axis["width"] * step / LAST, axis["top"] + axis["height"] * height)


def hold_run(application: Application, step: int) -> None:
    """Pause the only run once it has reached a step, which leaves the machine to the examiner and the
    browser.
    """
    run = application.only_run()
    wait_until(lambda: read_status(run).step >= step, "the step")
    application.ask(run, "pause")
    wait_until(lambda: read_status(run).phase == "paused", "the pause")


def open_held_step(page: Page, application: Application, step: int, more: str = "") -> None:
    """Open the page of the only run at a step."""
    page.goto(f"{application.url}/?run={application.only_run().id}&at={step}{more}")
    wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {step}")
