"""The summaries of a list, which must never be older than their folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import NAME_FILE, write_run_name
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_summaries import RunSummaries
from lamplighter.serving.schemas.runs import RunSummary
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts

LONG_AGO = 1_000_000_000


class Summaries:
    """The summaries of one folder, with a count of those made."""

    def __init__(self, folder: Path) -> None:
        self._catalog = RunCatalog(RunStore(folder))
        self._summaries = RunSummaries()
        self.made = 0

    def get(self, run: RunFolder) -> RunSummary:
        return self._summaries.get(run, self._make).summary

    def _make(self, run: RunFolder) -> RunSummary:
        self.made += 1
        return self._catalog.describe(run)


def settle(run: RunFolder) -> None:
    for path in (run.path, *run.path.iterdir()):
        os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.mark.parametrize("change", ["name", "step", "map", "file"])
def test_a_summary_is_kept_until_its_folder_changes(tmp_path: Path, change: str) -> None:
    run, summaries = finished_run(tmp_path), Summaries(tmp_path)
    settle(run)
    first = summaries.get(run)
    assert summaries.get(run) is first
    assert summaries.made == 1
    if change == "name":
        write_run_name(run.path, "Another")
        assert summaries.get(run).name == "Another"
    elif change == "step":
        with StepsWriter(run.steps_path) as writer:
            writer.set_facts({"phase": "failed"})
            # Still in the WAL, and not in the file itself.
            status = summaries.get(run).status
        assert status is not None
        assert status.phase == "failed"
    elif change == "map":
        write_layouts(run, layout(1, 35))
        assert summaries.get(run).status != first.status
    else:
        (run.path / "notes.txt").write_text("x" * 100)
        assert summaries.get(run).status != first.status
    assert summaries.made == 2


def test_a_recent_change_may_be_followed_by_one_with_the_same_time(tmp_path: Path) -> None:
    run, summaries = finished_run(tmp_path), Summaries(tmp_path)
    assert summaries.get(run) == summaries.get(run)
    assert summaries.made == 2


def test_a_run_that_is_trained_and_one_without_a_name_are_read_each_time(tmp_path: Path) -> None:
    summaries, trainer = Summaries(tmp_path), FakeTrainer(make_run(RunStore(tmp_path))).begin()
    settle(trainer.run)
    summaries.get(trainer.run)
    assert summaries.made == 1
    settle(trainer.run)
    summaries.get(trainer.run)
    assert summaries.made == 2
    trainer.end()
    nameless = finished_run(tmp_path)
    (nameless.path / NAME_FILE).unlink()
    settle(nameless)
    for _ in range(2):
        summaries.get(nameless)
    assert summaries.made == 4
