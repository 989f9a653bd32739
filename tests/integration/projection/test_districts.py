"""Trust by token and districts, as written by the projector."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.contract.recipe import MapRecipe
from lamplighter.projection.projector import Projector
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.synthetic_runs.growing_run import GrowingRun


def grown(run: GrowingRun, steps: int, pull: float) -> np.ndarray:
    for _ in range(steps):
        run.step(pull=pull)
    return run.vectors


def test_districts_are_named_and_survive_a_restart(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path)
    path = run.folder.layouts_path
    size, vocabulary = run.size, run.folder.vocabulary

    def projector(writer: LayoutsWriter) -> Projector:
        with LayoutsReader(path) as reader:
            made = Projector(writer, reader, size, None, vocabulary)
        made.start_map()
        return made

    with LayoutsWriter(path) as writer:
        one = projector(writer)
        one.project_step(run.history[0], 1, 0)
        with LayoutsReader(path) as reader:
            begin = decode_as(reader.last_written_districts() or b"", Districts)
        assert len(begin.ids) == 0
        vectors = grown(run, 60, 0.2)
        one.project_step(vectors, 1, 60, over=True)
        while one.needs_frame(1, 60):
            one.project_step(vectors, 1, 60, over=True)
    with LayoutsReader(path) as reader:
        found = decode_as(reader.last_written_districts() or b"", Districts)
        events = reader.district_events()
        entries = [e for e in reader.layout_entries() if e.step == 60]
        newest = {e.method: decode_as(reader.layout_record(e.id), Layout) for e in entries}
    assert set(found.names) <= set(vocabulary.classes)
    assert len(found.ids) >= 6
    assert sorted(e.kind for e in events) == ["district-born"] * len(found.ids)
    assert all(e.step == 60 for e in events)
    for place, name in enumerate(found.names, 1):
        members = np.flatnonzero(found.of == place)
        assert np.isin(members, vocabulary.classes[name]).mean() > 0.9
    for method in (Method.LINEAR, Method.UMAP):
        by_token = newest[method].by_token
        assert by_token is not None
        assert by_token.shape == (size,)
    # Two directions out of sixteen preserve less of the space than the map does.
    assert np.mean(newest[Method.UMAP].by_token) > np.mean(newest[Method.LINEAR].by_token)

    with LayoutsWriter(path) as writer:
        again = projector(writer)
        vectors = grown(run, 1, 0.2)
        again.project_step(vectors, 1, 61)
    with LayoutsReader(path) as reader:
        later = decode_as(reader.last_written_districts() or b"", Districts)
        assert reader.district_events(events[-1].id) == []
    assert (later.step, later.ids.tolist(), later.names) == (61, found.ids.tolist(), found.names)


def test_detects_no_districts_before_the_first_step(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path)
    together = run.centres[run.class_of] + run.vectors * np.float32(0.05)
    with LayoutsWriter(run.folder.layouts_path) as writer:
        with LayoutsReader(run.folder.layouts_path) as reader:
            projector = Projector(writer, reader, run.size, None, run.folder.vocabulary)
        projector.start_map()
        projector.project_step(together, 1, 0, over=True)
        while projector.needs_frame(1, 0):
            projector.project_step(together, 1, 0, over=True)
    with LayoutsReader(run.folder.layouts_path) as reader:
        assert len(decode_as(reader.last_written_districts() or b"", Districts).ids) == 0
        assert reader.district_events() == []
    run.writer.close()


def test_a_matrix_that_is_not_finite_and_a_vocabulary_of_three_have_no_districts(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=3, classes=1)
    with LayoutsWriter(run.folder.layouts_path) as writer:
        with LayoutsReader(run.folder.layouts_path) as reader:
            projector = Projector(writer, reader, 3, None, run.folder.vocabulary)
        projector.start_map()
        wild = run.vectors.copy()
        wild[1] = np.nan
        assert not projector.project_step(wild, 1, 1)
        assert projector.project_step(run.vectors, 1, 2, over=True)
    with LayoutsReader(run.folder.layouts_path) as reader:
        assert [e.step for e in reader.districts_entries()] == [2]
        assert len(decode_as(reader.last_written_districts() or b"", Districts).ids) == 0
        drawn = decode_as(reader.last_written(Method.UMAP) or b"", Layout)
    assert drawn.by_token is not None


def test_the_missed_steps_of_a_finished_run_tell_when_its_districts_were_born(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path)
    grown(run, 60, 0.2)
    path = run.folder.layouts_path
    with LayoutsWriter(path) as writer:
        with LayoutsReader(path) as reader:
            projector = Projector(writer, reader, run.size, MapRecipe(), run.folder.vocabulary)
        projector.start_map()
        for step in range(0, 60, 6):
            projector.draw_missed(run.history[step], 1, step, over=True)
        projector.project_step(run.history[60], 1, 60, over=True)
    with LayoutsReader(path) as reader:
        born = [event.step for event in reader.district_events() if event.kind == "district-born"]
    assert len(born) >= 6
    assert 0 < min(born) < 60
