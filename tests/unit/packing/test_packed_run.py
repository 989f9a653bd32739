"""Contents of a packed run: counts of the record, maps, neighbours, and the server's answers."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.exports.output import ExportError, no_progress
from lamplighter.geometry.neighbours import all_nearest
from lamplighter.packing import nearest, packed_run, shown_steps
from lamplighter.packing.packed_run import PackedRun, RunAnswers, pack_run
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import decode, decode_as
from lamplighter.wire.grid_frames import GRID_STEPS, GridChange, GridLayout, add
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.row_frames import Census
from tests.support.packed_maps import EARLIER, V, write_maps
from tests.support.synthetic_runs.recorded import HOSTILE, record


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return record(tmp_path_factory.mktemp("runs"), held_out=True)


@pytest.fixture(scope="module")
def packed(run: RunFolder) -> PackedRun:
    return pack_run(run, no_progress)


def frames_of(packed: PackedRun, kind: str) -> list[Any]:
    """Return the frames of all parts of a kind."""
    parts = [packed.parts[name] for name in packed.head["parts"][kind]]
    return [decode(part) for data in parts for part in decode_envelope(data) if isinstance(part, bytes)]


def inflate(data: bytes) -> bytes:
    return zlib.decompress(data, -zlib.MAX_WBITS)


def expect_recorded_counts(run: RunFolder, packed: PackedRun) -> None:
    """Check that the beats have the counts of the record, at each of their steps."""
    census, *beats = frames_of(packed, "lights")
    assert isinstance(census, Census)
    touches, last_lit = census.touches.copy(), census.last_lit.copy()
    with StepsReader(run.steps_path) as reader:
        for beat in beats:
            assert isinstance(beat, Beat)
            between = beat.between
            touches[between.ids] += between.touches
            last_lit[between.ids] = between.last_lit
            touches[beat.batch_ids] += 1
            last_lit[beat.batch_ids] = beat.step
            so_far = read_touches(reader, beat.step)
            assert np.array_equal(touches, so_far.touches)
            assert np.array_equal(last_lit, so_far.last_lit)


def test_keeps_every_step_of_a_short_run_with_its_counts(run: RunFolder, packed: PackedRun) -> None:
    assert packed.head["steps"] == list(range(31))
    expect_recorded_counts(run, packed)
    beat = frames_of(packed, "lights")[12]
    assert beat.loss == pytest.approx(5 - 12 / 10)
    # Rounded to eleven bits.
    assert beat.gradient_norms == pytest.approx([1.2] * len(beat.batch_ids), rel=1e-3)


def test_a_run_too_large_is_thinned_and_still_counts_exactly(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_run, "_LIGHTS_BYTES", 500)
    thinned = pack_run(run, no_progress)
    steps = thinned.head["steps"]
    assert 3 <= len(steps) < 31
    assert (steps[0], steps[1], steps[-1]) == (0, 1, 30)
    expect_recorded_counts(run, thinned)
    assert any(f"{31 - len(steps)} of 30 steps" in line for line in thinned.left_out)


def test_steps_are_denser_at_the_beginning() -> None:
    steps = sorted(shown_steps.choose_steps(5_000, 600))
    gaps = np.diff(steps)
    assert (steps[0], steps[-1]) == (1, 5_000)
    assert gaps[:20].max() < gaps[-20:].min()
    assert shown_steps.choose_steps(1, 1) == {1}


def test_maps_match_the_run(run: RunFolder, packed: PackedRun) -> None:
    newest: GridLayout | None = None
    with LayoutsReader(run.layouts_path) as reader:
        for frame, entry in zip(frames_of(packed, "umap"), reader.layout_entries(), strict=True):
            assert isinstance(frame, GridLayout | GridChange)
            newest = frame if isinstance(frame, GridLayout) else add(newest, frame)  # pyright: ignore
            recorded = decode_as(reader.layout_record(entry.id), Layout).coordinates
            spans = newest.grid.spans()
            shown = newest.places / GRID_STEPS * spans + [newest.grid.x0, newest.grid.y0]
            assert newest.step == entry.step
            assert np.abs(shown - recorded).max() <= spans.max() / GRID_STEPS


def test_neighbours_match_the_matrix(run: RunFolder, packed: PackedRun) -> None:
    head = packed.head["nearest"]
    data, k = inflate(packed.parts["nearest"]), head["k"]
    each = V * k * 4 + V * k + 2 * V
    assert len(data) == each * len(head["steps"])
    ids = np.zeros(V * k, np.uint32)
    with MatrixHistory(run) as history:
        for index, step in enumerate(head["steps"]):
            moment = data[each * index : each * (index + 1)]
            planes = np.frombuffer(moment[: 4 * V * k], np.uint8).reshape(4, V * k)
            ids = ids + np.ascontiguousarray(planes.T).reshape(-1).view("<u4")
            falls = np.frombuffer(moment[4 * V * k : 5 * V * k], np.uint8).reshape(k, V).T
            hundredths = np.cumsum(falls, axis=1, dtype=np.uint8).astype(np.int8)
            vectors = history.snapshot(step).vectors
            expected, cosines = all_nearest(vectors, k)
            assert np.array_equal(ids.reshape(V, k), expected)
            assert np.array_equal(hundredths, np.rint(100 * cosines))
            lengths = np.frombuffer(moment[5 * V * k :], np.uint8).reshape(2, V).T.copy().view("<u2").ravel()
            assert lengths * head["longest"][index] / 65_535 == pytest.approx(
                np.linalg.norm(vectors, axis=1), abs=1e-3
            )


def test_many_words_leave_room_for_few_moments(run: RunFolder) -> None:
    few = nearest.pack_nearest(run, 30, (5, 12, 20), 100, lambda _share: None)
    assert (few.held.steps, few.held.k, few.beside) == ([0, 30], 3, None)
    more = nearest.pack_nearest(run, 30, (0, 20, 10), 660, lambda _share: None)
    assert (more.held.steps, more.held.k) == ([0, 20, 30], V - 1)


def test_what_has_no_room_in_the_page_lies_beside_it(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_run, "_NEAREST_BYTES", 100)
    monkeypatch.setattr(nearest, "WORDS_OF_A_FILE", 4)
    packed = pack_run(run, no_progress, beside=True)
    head = packed.head["beside"]
    assert (packed.head["nearest"]["steps"], packed.head["nearest"]["k"]) == ([0, 30], 3)
    assert (head["steps"], head["k"], len(packed.files)) == (list(range(31)), V - 1, -(-V // 4))
    with MatrixHistory(run) as history:
        vectors = history.snapshot(17).vectors
    expected = all_nearest(vectors, V - 1)[0]
    for number, file in enumerate(packed.files):
        size, k, data = min(4, V - 4 * number), V - 1, inflate(file)
        each = size * k * 5 + 2 * size
        ids = np.zeros(size * k, np.uint32)
        for moment in range(18):
            planes = np.frombuffer(data, np.uint8, 4 * size * k, each * moment).reshape(4, size * k)
            ids = ids + np.ascontiguousarray(planes.T).reshape(-1).view("<u4")
        assert np.array_equal(ids.reshape(size, k), expected[4 * number : 4 * number + size])
    assert any(f"({V - 1} at 31 moments are in the files beside the page" in line for line in packed.left_out)
    assert pack_run(run, no_progress).files == []


def test_answers_match_the_server(run: RunFolder, packed: PackedRun) -> None:
    stored = json.loads(inflate(packed.parts["answers"]))
    with RunAnswers(run) as answers:
        for rest in (
            "/steps?from=1&most=2000",
            "/measures",
            "/turning-points",
            "/tokens?limit=50000&offset=0",
            "/lines",
        ):
            assert stored[rest] == json.loads(answers.get(rest))
    assert [token["token"] for token in stored["/tokens?limit=50000&offset=0"]["items"]] == list(HOSTILE)
    assert stored[""]["status"]["phase"] == "finished"
    assert stored["/examinations"] == {"items": []}


def test_omits_a_text_that_no_step_read(packed: PackedRun) -> None:
    texts = json.loads(inflate(packed.parts["texts"]))
    # These steps cannot have read a text too short for a batch.
    assert texts == {}


def test_a_live_run_ends_in_its_page(tmp_path: Path) -> None:
    live = record(tmp_path, phase="running")
    status = json.loads(inflate(pack_run(live, no_progress).parts["answers"]))[""]["status"]
    assert (status["phase"], status["alive"], status["step"]) == ("interrupted", False, 30)


def test_no_step_is_shown_on_a_later_map(tmp_path: Path) -> None:
    run = record(tmp_path, layouts=False)
    write_maps(run.layouts_path, 12, 20)
    assert pack_run(run, no_progress).head["steps"] == list(range(12, 31))


def test_uses_the_smoothed_map_if_it_covers_the_whole_run(tmp_path: Path) -> None:
    run = record(tmp_path)
    write_maps(run.relayouts_path, 0, 9, 29, until=29)
    assert [frame.step for frame in frames_of(pack_run(run, no_progress), "umap")] == [0, 10, 20, 30]
    run.relayouts_path.unlink()
    write_maps(run.relayouts_path, 0, 9, 29, until=30)
    assert [frame.step for frame in frames_of(pack_run(run, no_progress), "umap")] == [0, 9, 29]


@pytest.mark.parametrize("name", ["trained", "recorded"])
def test_packs_runs_of_earlier_versions_and_client_loops(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(EARLIER) as archive:
        archive.extractall(tmp_path)
    run = RunFolder(tmp_path / name)
    if name == "recorded":
        write_maps(run.layouts_path, 0, 25, size=len(run.vocabulary))
    packed = pack_run(run, no_progress)
    expect_recorded_counts(run, packed)
    texts = json.loads(inflate(packed.parts["texts"]))
    # A client's loop keeps no text.
    assert bool(texts) is (name == "trained")


def test_rejects_a_run_without_a_map_or_a_step(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="lamplighter project"):
        pack_run(record(tmp_path / "a", layouts=False), no_progress)


def test_keeps_a_vocabulary_of_several_pages(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_run, "_TOKENS_AT_ONCE", V - 2)
    stored = json.loads(inflate(pack_run(run, no_progress).parts["answers"]))
    pages = [stored[f"/tokens?limit={V - 2}&offset={at}"]["items"] for at in (0, V - 2)]
    assert [token["token_id"] for page in pages for token in page] == list(range(V))
