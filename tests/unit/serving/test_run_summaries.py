"""The summaries of a list, which must never be older than their folders.

A run whose keyframes are thinned while a server reads it: no answer counts on one that has gone.
A server that starts clears what killed processes left behind in the folder of runs.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

import lamplighter
from lamplighter.runfolder.preparation import preparation_folder
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import NAME_FILE, write_run_name
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.serving.apps.app import create_app
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_index import RunIndex
from lamplighter.serving.reading.run_list import RunSummaries
from lamplighter.serving.schemas.runs import RunSummary
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT
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


V, D = 500, 150


def test_the_index_of_exact_steps_loses_those_that_went(tmp_path: Path) -> None:
    weights = np.zeros((V, D), np.float32)
    run, index = RunFolder(tmp_path / "mine"), RunIndex()
    tokens = [str(number) for number in range(V)]
    with lamplighter.record(
        run.path, tokens, embedding=weights, keyframe_every=2, disk_budget=4_000_000, on_error="raise"
    ) as recorder:
        for step in range(1, 61):
            weights += 1
            recorder.step(weights, [1], 1.0)
            if step in (30, 60):
                with MatrixHistory(run) as history:
                    kept = history.exact_steps()
                    found = index.exact_steps(run, history, 29)
                    assert found.tolist() == kept[kept < 30].tolist()
                    index.exact_steps(run, history, step)


async def test_half_made_runs_are_cleared_at_start_and_those_being_made_stay(
    app: FastAPI, tmp_path: Path
) -> None:
    (tmp_path / ".importing-ef761a5b4c6b" / "packed").mkdir(parents=True)
    (tmp_path / ".making-2026-11-25-lamptown-502661").mkdir()
    with preparation_folder(tmp_path, "importing") as ours:
        async with app.router.lifespan_context(app):
            left = [name for name in os.listdir(tmp_path) if name.startswith((".importing", ".making"))]
        assert left == [ours.name]


async def test_half_received_texts_are_cleared_at_start_and_those_being_received_stay(
    app: FastAPI, tmp_path: Path
) -> None:
    uploads = tmp_path / ".uploads"
    (uploads / ".receiving-ef761a5b4c6b").mkdir(parents=True)
    (uploads / ".receiving-ef761a5b4c6b" / "text").write_text("half of")
    (uploads / "0123456789abcdef01234567.txt").write_text("all of it")
    with preparation_folder(uploads, "receiving") as ours:
        async with app.router.lifespan_context(app):
            assert set(os.listdir(uploads)) == {ours.name, "0123456789abcdef01234567.txt"}
    assert os.listdir(uploads) == ["0123456789abcdef01234567.txt"]


async def test_a_text_is_received_where_another_server_that_starts_leaves_it(
    app: FastAPI, tmp_path: Path
) -> None:
    """The second server starts while the first has half of the text."""
    uploads = app.state.services.uploads
    seen: list[set[str]] = []

    async def halves() -> AsyncIterator[bytes]:
        yield b"one half, "
        other = create_app(ServerSettings(tmp_path, port=PORT, roles=()))
        async with other.router.lifespan_context(other):
            seen.append({path.name for path in (tmp_path / ".uploads").rglob("text")})
        yield b"and the other"

    upload, size, _ = await uploads.store(halves(), "a.txt")
    assert seen == [{"text"}]
    assert uploads.read_text(upload) == ("one half, and the other", "a.txt")
    assert size == 23
    assert not [path for path in (tmp_path / ".uploads").iterdir() if path.is_dir()]
