"""Runs published to every object store, opened again in place, by several at once, and after a kill."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from obstore.store import MemoryStore

import lamplighter
from lamplighter.exports.output import ExportError
from lamplighter.exports.publishing import prepare_publication, publish, publish_page
from lamplighter.platform.failpoint import VARIABLE
from lamplighter.runfolder.published.manifest import INDEX, Current, list_runs, read_manifest
from lamplighter.runfolder.published.object_store import CountingReader, ObjectStore, open_object_store
from lamplighter.runfolder.published.shadow_folder import PublishedRuns
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.step_figures import read_step_figures, step_facts
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import write_run_name
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from tests.support.machine.object_stores import OpenStore, open_store, s3_environment
from tests.support.synthetic_runs.good_run import CHECKPOINT, write_checkpoint
from tests.support.synthetic_runs.recorded import record

__all__ = ["open_store", "s3_environment"]

STEPS = 30


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    made = record(tmp_path_factory.mktemp("recorded"), steps=STEPS, held_out=True)
    write_checkpoint(made, CHECKPOINT)
    return made


@pytest.fixture
def run(recorded: RunFolder, tmp_path: Path) -> RunFolder:
    """Return a run that the test may change."""
    return RunFolder(shutil.copytree(recorded.path, tmp_path / "runs" / recorded.id))


def published(run: RunFolder, store: ObjectStore) -> bool:
    with prepare_publication(run, store, lambda *_: None) as publication:
        return publish(publication, store, lambda *_: None)


def objects(store: ObjectStore, run: RunFolder) -> int:
    with prepare_publication(run, store, lambda *_: None) as publication:
        return len(publication.lacking)


def test_a_published_run_reads_as_the_run(run: RunFolder, open_store: OpenStore, tmp_path: Path) -> None:
    assert published(run, open_store())
    folder = tmp_path / "shadow"
    folder.mkdir()
    with PublishedRuns(open_store(), folder) as opened:
        assert (opened.runs, opened.refused) == ([run.id], {})
        copy = RunFolder(folder / run.id)
        assert copy.recipe == run.recipe
        assert copy.vocabulary.tokens == run.vocabulary.tokens
        assert round(copy.created, 2) == round(run.created, 2)
        # Nothing of the record was written to the disk.
        assert copy.steps_path.read_bytes() == bytes(copy.steps_path.stat().st_size)
        with StepsReader(run.steps_path) as ours, StepsReader(copy.steps_path) as theirs:
            assert theirs.pulses(1, STEPS) == ours.pulses(1, STEPS)
            facts = [step_facts(decode_as(record, Pulse)) for _, record in ours.pulses(1, STEPS)]
        with MatrixHistory(run) as ours, MatrixHistory(copy) as theirs:
            assert np.array_equal(theirs.exact_steps(), ours.exact_steps())
            for step in ours.exact_steps().tolist():
                assert np.array_equal(theirs.snapshot(step).vectors, ours.snapshot(step).vectors)
        with LayoutsReader(run.layouts_path) as ours, LayoutsReader(copy.layouts_path) as theirs:
            assert theirs.layout_entries() == ours.layout_entries()
        assert np.array_equal(copy.token_ids, run.token_ids)
        figures = read_step_figures(copy)
        assert figures is not None
        # As text, in which NaN equals NaN.
        read = figures.facts_at(list(range(1, STEPS + 1)))
        assert json.dumps(read, sort_keys=True) == json.dumps(facts, sort_keys=True)


def test_a_census_is_read_without_the_matrix_before_it(tmp_path: Path) -> None:
    tables = [np.full((5_000, 64), fill, np.float32) for fill in (0.5, 0.25)]
    words = [f"word-{number}" for number in range(5_000)]
    lamplighter.series(tmp_path / "runs" / "large", tables, words, maps=False)
    store = ObjectStore(MemoryStore(), "memory")
    assert published(RunFolder(tmp_path / "runs" / "large"), store)
    counted = CountingReader(store)
    (tmp_path / "shadow").mkdir()
    with (
        PublishedRuns(counted, tmp_path / "shadow"),
        StepsReader(tmp_path / "shadow/large/steps.sqlite") as reader,
    ):
        before = counted.bytes
        assert reader.census(1) is not None
        assert counted.bytes - before < tables[1].nbytes / 3


def test_the_same_run_again_changes_nothing(run: RunFolder, open_store: OpenStore) -> None:
    assert published(run, open_store())
    assert objects(open_store(), run) == 0
    assert not published(run, open_store())
    assert open_store().size_of(f"{run.id}/manifest-2.json") is None
    write_run_name(run.path, "Another name")
    # Its name and its plain name are one object.
    assert objects(open_store(), run) == 1
    assert published(run, open_store())
    current = Current.model_validate_json(open_store().read_part(f"{run.id}/current", 0, 999))
    assert current.manifest == "manifest-2.json"


def test_two_writers_and_one_wins(run: RunFolder, open_store: OpenStore, tmp_path: Path) -> None:
    other = RunFolder(shutil.copytree(run.path, tmp_path / "others" / run.id))
    write_run_name(other.path, "Another name")
    for before in (None, "A third name"):
        # The first time there is nothing, the second time both replace the same.
        if before is not None:
            write_run_name(run.path, before)
            assert published(run, open_store())
            write_run_name(run.path, "One more")
            write_run_name(other.path, "And one")
        barrier = Barrier(2)

        def write(mine: RunFolder, barrier: Barrier = barrier) -> str:
            store = open_store()
            met: list[int] = []
            with prepare_publication(mine, store, lambda *_: None) as publication:
                # Each has read what counts before any has sent an object.
                def meet(*_: object) -> None:
                    if not met:
                        met.append(barrier.wait(20))

                try:
                    publish(publication, store, meet)
                except ExportError as error:
                    return "" if "at the same time" in str(error) else str(error)
                return publication.manifest.model_dump_json()

        with ThreadPoolExecutor(2) as pool:
            won = [found for found in pool.map(write, (run, other)) if found]
        assert len(won) == 1
        assert read_manifest(open_store(), f"{run.id}/").model_dump_json() == won[0]
    assert list_runs(open_store()) == [(run.id, f"{run.id}/")]


def test_the_index_keeps_what_others_add(open_store: OpenStore, tmp_path: Path) -> None:
    runs = [record(tmp_path / f"runs-{number}", steps=3) for number in range(4)]
    renamed = [RunFolder(run.path.rename(run.path.with_name(f"run-{at}"))) for at, run in enumerate(runs)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda run: published(run, open_store()), renamed))
    assert [run for run, _ in list_runs(open_store())] == [f"run-{at}" for at in range(4)]


def test_a_run_that_goes_on_is_not_published(open_store: OpenStore, tmp_path: Path) -> None:
    running = record(tmp_path, steps=5, phase="running")
    with pytest.raises(ExportError, match="has not ended"):
        published(running, open_store())
    assert open_store().size_of(INDEX) is None


def test_a_matrix_in_a_file_is_brought_when_it_is_read(tmp_path: Path) -> None:
    tables = [np.full((5_000, 32), fill, np.float16) for fill in (0.5, 0.25)]
    words = [f"word-{number}" for number in range(5_000)]
    lamplighter.series(tmp_path / "runs" / "half", tables, words, maps=False)
    store = ObjectStore(MemoryStore(), "memory")
    assert published(RunFolder(tmp_path / "runs" / "half"), store)
    counted = CountingReader(store)
    (tmp_path / "shadow").mkdir()
    with (
        PublishedRuns(counted, tmp_path / "shadow"),
        MatrixHistory(RunFolder(tmp_path / "shadow" / "half")) as history,
    ):
        assert history.exact_steps().tolist() == [0, 1]
        before = counted.bytes
        assert np.array_equal(history.snapshot(1).vectors[:], tables[1])
        # One matrix and no other, and once.
        assert tables[1].nbytes < counted.bytes - before < 1.5 * tables[1].nbytes
        again = counted.bytes
        assert np.array_equal(history.snapshot(1).vectors[:], tables[1])
        assert counted.bytes == again


@pytest.mark.tour
@pytest.mark.parametrize("where", ["publish-object:3", "publish-current:1"])
def test_a_killed_publication_goes_on(where: str, run: RunFolder, tmp_path: Path) -> None:
    address = f"file://{tmp_path / 'store'}"
    store = open_object_store(address, writing=True)
    assert published(run, store)
    before = read_manifest(store, f"{run.id}/")
    # Everything but the vocabulary and the corpus is another object now.
    other = record(tmp_path / "others", steps=STEPS + 5)
    run.steps_path.write_bytes(other.steps_path.read_bytes())
    run.layouts_path.write_bytes(other.layouts_path.read_bytes())
    write_run_name(run.path, "After the kill")
    all_lacking = objects(store, run)
    command = [sys.executable, "-m", "lamplighter", "publish", str(run.path), address, "--yes"]
    killed = subprocess.run(command, env=os.environ | {VARIABLE: where}, check=False, capture_output=True)
    assert killed.returncode < 0
    assert read_manifest(store, f"{run.id}/") == before
    assert objects(store, run) < all_lacking
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "is published" in done.stdout
    assert read_manifest(store, f"{run.id}/") != before
    # What was written under the second number is the same manifest.
    assert store.size_of(f"{run.id}/manifest-3.json") is None


def test_a_page_lies_beside_the_run(open_store: OpenStore, tmp_path: Path) -> None:
    gallery = tmp_path / "page"
    (gallery / "run-words").mkdir(parents=True)
    for name in ("index.html", "run.html", "run.png", "run-words/0.js"):
        (gallery / name).write_text(name)
    sent: list[str] = []
    index = publish_page(gallery, "run", open_store(), lambda _, name: sent.append(name))
    assert index == "run/page/index.html"
    # A reader never gets a page before what it refers to.
    assert sent[-2:] == ["run.html", "index.html"]
    assert open_store().read_part("run/page/run-words/0.js", 0, 99) == b"run-words/0.js"
