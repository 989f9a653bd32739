"""A broadcast: a page from a host of static files follows a run that trains, through kills of what writes it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.map_page import write_maps
from tests.browser.packed import host_files, open_offline
from tests.browser.pages import wait_for
from tests.support.folders import FakeTrainer, V, make_run
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.tour]


@contextmanager
def broadcasting(trainer: FakeTrainer, site: Path) -> Generator[subprocess.Popen[str]]:
    folder = trainer.run.path
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "lamplighter",
            "broadcast",
            "--runs",
            str(folder.parent),
            folder.name,
            str(site),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_page_of_files_follows_the_run(chromium: Browser, tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path / "runs"), steps=5_000)).begin().train(30)
    write_maps(trainer.run.layouts_path, V, (0, 10, 20, 30), ("animals", "marks"))
    site = tmp_path / "site"
    with broadcasting(trainer, site) as first:
        wait_until((site / "index.html").is_file, "the page", 60)
        with host_files(site) as url:
            page = open_offline(chromium, f"{url}?folded=1")
            wait_for(page, "window.__lamplighter?.shown && __lamplighter.step === 30", 30)
            trainer.train(25)
            wait_for(page, "__lamplighter.beat?.step === 55 && __lamplighter.step === 55", 15)
            expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "open")
            # Its counts are those of the record, also of the steps that came in no beat.
            expect(page.get_by_test_id("scrubber")).to_have_attribute(
                "aria-valuetext", re.compile(rf"{int((trainer.touches > 0).sum())} of {V} words")
            )
            first.kill()
            first.wait()
            manifest = site / "live" / "manifest.json"
            before = manifest.read_bytes()
            trainer.train(4)
            with broadcasting(trainer, site) as second:
                wait_until(lambda: manifest.read_bytes() != before, "the other broadcast", 30)
                trainer.train(1)
                wait_for(page, "__lamplighter.beat?.step === 60", 30)
                # The past that the page came with is still there.
                page.keyboard.press("Space")
                page.keyboard.press("Home")
                wait_for(page, "__lamplighter.beat?.step !== 60", 15)
                trainer.end()
                said, _ = second.communicate(timeout=120)
                assert second.returncode == 0, said
            page.goto(f"{url}?folded=1")
            # The last page holds all, and follows nothing.
            wait_for(page, "window.__lamplighter?.shown && __lamplighter.step === 60", 30)
            assert page.faults == []  # pyright: ignore[reportAttributeAccessIssue]
            page.context.close()
